namespace Libp2p;

/// <summary>Settings of the stream multiplexer. The defaults are those of go-libp2p (spec/libp2p.md, section 6).</summary>
public sealed record YamuxOptions
{
    /// <summary>Window that the protocol gives each side at the start, in bytes.</summary>
    public const uint InitialWindow = 256 * 1024;

    /// <summary>Largest receive window a stream grows to, in bytes.</summary>
    public uint MaxWindow { get; init; } = 16 * 1024 * 1024;

    /// <summary>Largest data frame that is sent, header included, in bytes.</summary>
    public int MaxFrame { get; init; } = 64 * 1024;

    /// <summary>Inbound streams that may wait to be accepted; more are reset.</summary>
    public int AcceptBacklog { get; init; } = 256;

    /// <summary>Time without inbound frames after which the other side is asked for a sign of life.</summary>
    public TimeSpan KeepAliveInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Time between measurements of the round trip.</summary>
    public TimeSpan RoundTripInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Time the other side has to answer a ping, and a blocked write has to make progress.</summary>
    public TimeSpan ResponseTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Time for sending what is left when a stream is closed, as long as some of it goes within each <see cref="ResponseTimeout"/>;
    /// after it the stream is reset.
    /// </summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Whether pings are sent at all (they are always answered).</summary>
    public bool KeepAlive { get; init; } = true;
}
