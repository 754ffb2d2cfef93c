using System.Buffers;
using System.IO.Pipelines;

namespace Libp2p.Negotiation;

/// <summary>Where negotiation messages come from and go to. A read takes no byte beyond the message.</summary>
internal abstract class TokenChannel
{
    /// <summary>Reads one message.</summary>
    /// <exception cref="NegotiationException">The other side closed, or sent something else.</exception>
    public abstract ValueTask<string> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Writes messages as one piece.</summary>
    public abstract ValueTask WriteAsync(ReadOnlyMemory<byte> tokens, CancellationToken cancellationToken);

    protected static NegotiationException Closed() => new("The peer closed the connection during protocol negotiation.");
}

/// <summary>Negotiation on a connection, below security or the muxer.</summary>
/// <param name="stream">The connection.</param>
/// <param name="expectHeader">
/// Whether the first byte is held to be the length of the multistream header: garbage (a wrong secret, another protocol) is then
/// found at once, and not after a wait for bytes that never come.
/// </param>
internal sealed class StreamTokenChannel(Stream stream, bool expectHeader = false) : TokenChannel
{
    private readonly byte[] buffer = new byte[MultistreamToken.MaxLength];

    /// <summary>Whether a first message was read.</summary>
    public bool HeaderSeen { get; private set; }

    public override async ValueTask<string> ReadAsync(CancellationToken cancellationToken)
    {
        int held = 0, length, consumed;
        do
        {
            // Byte by byte: what follows the message belongs to the next layer.
            if (await stream.ReadAsync(buffer.AsMemory(held, 1), cancellationToken) == 0) throw Closed();
            held++;
            if (expectHeader && !HeaderSeen && buffer[0] != ProtocolName.Multistream.Length + 1)
                throw new NegotiationException("The peer does not begin with a multistream header.");
        }
        while (!MultistreamToken.TryReadLength(buffer.AsSpan(0, held), out length, out consumed));
        int n = await stream.ReadAtLeastAsync(buffer.AsMemory(0, length), length, throwOnEndOfStream: false, cancellationToken);
        if (n < length) throw Closed();
        string text = MultistreamToken.Body(buffer.AsSpan(0, length));
        // With a wrong secret even a good length is followed by garbage.
        HeaderSeen |= text == ProtocolName.Multistream;
        return text;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> tokens, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(tokens, cancellationToken);
        await stream.FlushAsync(cancellationToken);
    }
}

/// <summary>Negotiation on a muxed stream.</summary>
internal sealed class PipeTokenChannel(PipeReader input, PipeWriter output) : TokenChannel
{
    public override async ValueTask<string> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await input.ReadAsync(cancellationToken);
            var buffer = result.Buffer;
            bool ok;
            string text;
            try
            {
                ok = MultistreamToken.TryRead(ref buffer, out text);
            }
            catch
            {
                input.AdvanceTo(buffer.Start);
                throw;
            }
            if (ok)
            {
                input.AdvanceTo(buffer.Start);
                return text;
            }
            input.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted) throw Closed();
            if (result.IsCanceled) throw new OperationCanceledException();
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> tokens, CancellationToken cancellationToken) =>
        await output.WriteAsync(tokens, cancellationToken);
}
