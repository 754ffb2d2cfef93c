namespace Libp2p;

/// <summary>What a host is made of. The defaults are those of a cluster peer (spec/libp2p.md, section 13).</summary>
public sealed record HostOptions
{
    /// <summary>Identity of the host.</summary>
    public required PrivateKey Key { get; init; }

    /// <summary>Addresses to listen on; none for a host that only dials.</summary>
    public IReadOnlyList<Multiaddr> Listen { get; init; } = [];

    /// <summary>Secret of the private network; null for none.</summary>
    public NetworkSecret? Secret { get; init; }

    /// <summary>Addresses to tell others instead of the ones listened on; empty for the latter.</summary>
    public IReadOnlyList<Multiaddr> Announce { get; init; } = [];

    /// <summary>Addresses never to tell others: exact ones, or networks as <c>/ip4/10.0.0.0/ipcidr/8</c>.</summary>
    public IReadOnlyList<Multiaddr> NoAnnounce { get; init; } = [];

    /// <summary>Name and version of the program, for identify.</summary>
    public string AgentVersion { get; init; } = "libp2p-dotnet";

    /// <summary>Protocol version for identify; nobody compares it.</summary>
    public string ProtocolVersion { get; init; } = "";

    /// <summary>Security protocols in order of preference.</summary>
    public SecurityProtocols Security { get; init; } = SecurityProtocols.NoiseAndTls;

    /// <summary>Whether the muxer is agreed inside the security handshake when the other side can.</summary>
    public bool EarlyMuxer { get; init; } = true;

    /// <summary>Longest time a dial of a peer takes, over all its addresses.</summary>
    public TimeSpan DialTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Longest time an inbound connection takes to be secured.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Longest time the agreement on a stream's protocol takes.</summary>
    public TimeSpan NegotiationTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Settings of the multiplexer.</summary>
    public YamuxOptions Yamux { get; init; } = new();

    /// <summary>Limits on what others may cost.</summary>
    public ResourceLimits Limits { get; init; } = new();

    /// <summary>When surplus connections are closed.</summary>
    public ConnectionTrimOptions Connections { get; init; } = new();

    /// <summary>Ways to connect; TCP if none is given.</summary>
    public IReadOnlyList<ITransport> Transports { get; init; } = [];

    /// <summary>Resolver of DNS names; the system's if none is given.</summary>
    public IDnsResolver? Dns { get; init; }

    /// <summary>Clock and timers.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Randomness that is no secret (jitter, choices); keys and nonces always come from the system.</summary>
    public Random Random { get; init; } = Random.Shared;

    /// <summary>Whether other peers are asked who they are, and told who this host is.</summary>
    public bool Identify { get; init; } = true;

    /// <summary>Whether pings are answered.</summary>
    public bool Ping { get; init; } = true;
}

/// <summary>Choice of security protocols.</summary>
public enum SecurityProtocols
{
    /// <summary>Noise, and TLS for peers that do not speak it.</summary>
    NoiseAndTls,

    /// <summary>TLS, and Noise for peers that do not speak it.</summary>
    TlsAndNoise,

    /// <summary>Noise alone.</summary>
    Noise,

    /// <summary>TLS alone.</summary>
    Tls,
}

/// <summary>When surplus connections are closed: above the high mark, down to the low one, oldest and least valued first.</summary>
public sealed record ConnectionTrimOptions
{
    /// <summary>Number of connections to come down to.</summary>
    public int LowWater { get; init; } = 100;

    /// <summary>Number of connections above which some are closed.</summary>
    public int HighWater { get; init; } = 400;

    /// <summary>Age below which a connection is left alone.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Shortest time between two rounds.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>Limits on what others may cost. A refusal names the limit.</summary>
public sealed record ResourceLimits
{
    /// <summary>Connections in all.</summary>
    public int Connections { get; init; } = 4096;

    /// <summary>Inbound connections in all.</summary>
    public int InboundConnections { get; init; } = 2048;

    /// <summary>Inbound connections of one peer.</summary>
    public int InboundConnectionsPerPeer { get; init; } = 8;

    /// <summary>Connections of one peer, both directions.</summary>
    public int ConnectionsPerPeer { get; init; } = 16;

    /// <summary>Inbound connections that are not secured yet.</summary>
    public int PendingInbound { get; init; } = 256;

    /// <summary>Inbound streams in all.</summary>
    public int InboundStreams { get; init; } = 16384;

    /// <summary>Inbound streams of one peer.</summary>
    public int InboundStreamsPerPeer { get; init; } = 512;

    /// <summary>Streams of one peer, both directions.</summary>
    public int StreamsPerPeer { get; init; } = 4096;

    /// <summary>Inbound streams of one peer on one protocol.</summary>
    public int InboundStreamsPerPeerAndProtocol { get; init; } = 256;

    /// <summary>Bytes of receive windows in all.</summary>
    public long Memory { get; init; } = 1L << 30;

    /// <summary>Bytes of receive windows of one peer.</summary>
    public long MemoryPerPeer { get; init; } = 256L << 20;

    /// <summary>No limits at all.</summary>
    public static ResourceLimits Unlimited { get; } = new()
    {
        Connections = int.MaxValue,
        InboundConnections = int.MaxValue,
        InboundConnectionsPerPeer = int.MaxValue,
        ConnectionsPerPeer = int.MaxValue,
        PendingInbound = int.MaxValue,
        InboundStreams = int.MaxValue,
        InboundStreamsPerPeer = int.MaxValue,
        StreamsPerPeer = int.MaxValue,
        InboundStreamsPerPeerAndProtocol = int.MaxValue,
        Memory = long.MaxValue,
        MemoryPerPeer = long.MaxValue,
    };
}
