using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Cluster.Gateway.Http;

/// <summary>Gives requests that Kestrel refuses by itself the answer of the original (<c>spec/rest-api.md</c> section 1). Kestrel tells
/// of a refusal through its diagnostic source, but lets nobody change the answer; so the connection's output does.</summary>
internal sealed class MalformedRequests : IObserver<KeyValuePair<string, object?>>
{
    public const string EventName = "Microsoft.AspNetCore.Server.Kestrel.BadRequest";

    public void OnNext(KeyValuePair<string, object?> occurrence)
    {
        if (occurrence.Key != EventName || occurrence.Value is not IFeatureCollection features) return;
        if (features.Get<IBadRequestExceptionFeature>()?.Error is not BadHttpRequestException error) return;
        if (features.Get<IHttpResponseFeature>() is { HasStarted: true }) return;
        (string status, string text) = Describe(error);
        features.Get<RefusingOutput>()?.Refuse(status, text);
    }

    public void OnCompleted()
    {
    }

    public void OnError(Exception error)
    {
    }

    /// <summary>Connection middleware: puts a <see cref="RefusingOutput"/> before the connection's output.</summary>
    public static ConnectionDelegate Watch(ConnectionDelegate next) => connection =>
    {
        var output = new RefusingOutput(connection.Transport.Output);
        connection.Transport = new Duplex(connection.Transport.Input, output);
        connection.Features.Set(output);
        return next(connection);
    };

    private static (string Status, string Text) Describe(BadHttpRequestException error)
    {
        bool Speaks(string of) => error.Message.Contains(of, StringComparison.OrdinalIgnoreCase);
        return error.StatusCode switch
        {
            // The size of the request line counts like that of the headers.
            414 or 431 => Same("431 Request Header Fields Too Large"),
            505 => Same("505 HTTP Version Not Supported: unsupported protocol version"),
            408 => Same("408 Request Timeout"),
            413 => Same("413 Request Entity Too Large"),
            _ when Speaks("transfer coding") || Speaks("transfer-encoding") => ("501 Not Implemented", "Unsupported transfer encoding"),
            _ when Speaks("missing") && Speaks("host") => Same("400 Bad Request: missing required Host header"),
            _ => Same("400 Bad Request"),
        };
    }

    private static (string Status, string Text) Same(string text) => (text, text);

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}

/// <summary>The output of a connection. Once told of a refusal it sends that, and nothing that comes after.</summary>
internal sealed class RefusingOutput(PipeWriter inner) : PipeWriter
{
    private byte[]? refusal;
    private byte[] discarded = [];
    private bool sent;

    public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

    public override long UnflushedBytes => inner.UnflushedBytes;

    public void Refuse(string status, string text) => refusal = Encoding.ASCII.GetBytes(
        $"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n{text}");

    public override void Advance(int bytes)
    {
        if (refusal is null) inner.Advance(bytes);
    }

    public override Memory<byte> GetMemory(int sizeHint = 0) => refusal is null ? inner.GetMemory(sizeHint) : Discarded(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => refusal is null ? inner.GetSpan(sizeHint) : Discarded(sizeHint);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (refusal is null || sent) return inner.FlushAsync(cancellationToken);
        sent = true;
        return inner.WriteAsync(refusal, cancellationToken);
    }

    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);

    private byte[] Discarded(int sizeHint)
    {
        if (discarded.Length < Math.Max(sizeHint, 4096)) discarded = new byte[Math.Max(sizeHint, 4096)];
        return discarded;
    }
}
