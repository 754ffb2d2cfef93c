namespace Libp2p;

/// <summary>Bytes that streams of one protocol carried, from the host's start.</summary>
public sealed class ProtocolTraffic
{
    private long received;
    private long sent;

    internal ProtocolTraffic(string protocol) => Protocol = protocol;

    /// <summary>The protocol; empty for streams whose protocol is not agreed yet.</summary>
    public string Protocol { get; }

    /// <summary>Bytes received.</summary>
    public long Received => Volatile.Read(ref received);

    /// <summary>Bytes sent.</summary>
    public long Sent => Volatile.Read(ref sent);

    internal void AddReceived(long bytes) => Interlocked.Add(ref received, bytes);

    internal void AddSent(long bytes) => Interlocked.Add(ref sent, bytes);
}
