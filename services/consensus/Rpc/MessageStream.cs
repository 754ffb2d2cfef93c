using Google.Protobuf;
using Grpc.Core;
using Libp2p;

namespace Cluster.Consensus.Rpc;

/// <summary>Messages that come on a stream of a peer, each with its length before it.</summary>
/// <param name="stream">Where from.</param>
/// <param name="parser">What they are.</param>
/// <param name="longest">Bytes of a message at most; a longer one ends the stream.</param>
internal sealed class MessageReader<T>(PeerStream stream, MessageParser<T> parser, int longest) : IAsyncStreamReader<T>
    where T : class, IMessage<T>
{
    private T? _current;

    /// <inheritdoc/>
    public T Current => _current ?? throw new InvalidOperationException("No message has been read.");

    /// <inheritdoc/>
    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        var bytes = await stream.Input.ReadFrameBytesAsync(longest, cancellationToken);
        _current = bytes is null ? null : parser.ParseFrom(bytes);
        return _current is not null;
    }
}

/// <summary>Messages to a peer. One that takes nothing for too long has its stream reset, which whoever reads it sees.</summary>
/// <param name="stream">Where to.</param>
/// <param name="stall">How long one message may take.</param>
/// <param name="clock">Measures that.</param>
internal sealed class MessageWriter<T>(PeerStream stream, TimeSpan stall, TimeProvider clock) : IServerStreamWriter<T>, IClientStreamWriter<T>
    where T : class, IMessage<T>
{
    /// <inheritdoc/>
    public WriteOptions? WriteOptions { get; set; }

    /// <inheritdoc/>
    public Task WriteAsync(T message) => WriteAsync(message, CancellationToken.None);

    /// <inheritdoc/>
    public async Task WriteAsync(T message, CancellationToken cancellationToken)
    {
        using var stalled = new CancellationTokenSource(stall, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stalled.Token, cancellationToken);
        try
        {
            stream.Output.WriteFrame(message.ToByteArray());
            await stream.Output.FlushAsync(either.Token);
        }
        catch (Exception e)
        {
            stream.Reset();
            cancellationToken.ThrowIfCancellationRequested();
            throw e is OperationCanceledException ? new IOException($"{stream.RemotePeer} took nothing for {stall.TotalSeconds:0} s", e) : e;
        }
    }

    /// <inheritdoc/>
    public Task CompleteAsync() => stream.CloseWriteAsync().AsTask();
}
