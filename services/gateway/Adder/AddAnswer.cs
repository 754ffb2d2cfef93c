using Cluster.Gateway.Http;

namespace Cluster.Gateway.Adder;

/// <summary>How the objects of an add get to the client: as they come, or as one array at the end.</summary>
internal abstract class AddAnswer(Exchange exchange) : IAddOutput, IDisposable
{
    protected Exchange Exchange => exchange;

    public static AddAnswer Create(Exchange exchange, AddParameters parameters)
    {
        exchange.ResponseHeaders.CacheControl = "no-cache";
        exchange.CloseAfterwards();
        return parameters.Stream ? new Streamed(exchange) : new Buffered(exchange);
    }

    /// <summary>Before anything of the upload is read.</summary>
    public virtual ValueTask BeginAsync() => ValueTask.CompletedTask;

    public abstract ValueTask WriteAsync(AddedOutput added, CancellationToken cancellation);

    /// <summary>Ends the answer, with an error or without.</summary>
    public abstract ValueTask EndAsync(string? error);

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>Lines, with a trailer for an error (<c>spec/rest-api.md</c> section 9.3).</summary>
    private sealed class Streamed(Exchange exchange) : AddAnswer(exchange)
    {
        private readonly ChunkedBody body = exchange.PrepareStream();

        public override async ValueTask BeginAsync()
        {
            Exchange.ResponseHeaders["X-Chunked-Output"] = "1";
            Exchange.ResponseHeaders["Trailer"] = "X-Stream-Error";
            Exchange.StartStream();
            await Exchange.SendHeadAsync().ConfigureAwait(false);
        }

        public override ValueTask WriteAsync(AddedOutput added, CancellationToken cancellation)
        {
            added.Write(body.Buffer);
            body.Buffer.Append((byte)'\n');
            return body.FlushAsync(cancellation);
        }

        public override async ValueTask EndAsync(string? error)
        {
            await body.EndAsync(error is null ? [] : [new("X-Stream-Error", error)], Exchange.Aborted).ConfigureAwait(false);
            Exchange.Count(body.Sent);
        }

        public override void Dispose() => body.Dispose();
    }

    /// <summary>One array (<c>spec/rest-api.md</c> section 9.4).</summary>
    private sealed class Buffered(Exchange exchange) : AddAnswer(exchange)
    {
        // A directory of a million files has some 200 MB of objects; more is for the streamed answer.
        private const int MostBytes = 256 * 1024 * 1024;

        private readonly ByteBuffer array = new();

        public override ValueTask WriteAsync(AddedOutput added, CancellationToken cancellation)
        {
            if (array.Length > MostBytes) throw new AddException("too many files for an answer in one piece: use stream-channels=true");
            array.Append(array.Length == 0 ? (byte)'[' : (byte)',');
            added.Write(array);
            return ValueTask.CompletedTask;
        }

        public override ValueTask EndAsync(string? error)
        {
            if (error is not null) return Exchange.AnswerErrorAsync(500, error);
            array.Append(array.Length == 0 ? "null"u8 : "]"u8);
            return Exchange.AnswerJsonAsync(200, array);
        }

        public override void Dispose() => array.Dispose();
    }
}
