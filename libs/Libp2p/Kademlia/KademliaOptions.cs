namespace Libp2p.Kademlia;

/// <summary>Parameters of the DHT; the defaults are those of the reference implementation (spec libp2p §11).</summary>
public sealed record KademliaOptions
{
    /// <summary>Prefix of the LAN table of a cluster peer.</summary>
    public const string LanPrefix = "/ipfs/lan";

    /// <summary>Prefix of the WAN table.</summary>
    public const string WanPrefix = "/ipfs";

    /// <summary>What stands before <c>/kad/1.0.0</c> in the protocol's name; peers of another prefix are in another DHT.</summary>
    public string Prefix { get; init; } = LanPrefix;

    /// <summary>Whether queries of others are answered; if not, the peer is in nobody's table.</summary>
    public bool Server { get; init; } = true;

    /// <summary>Peers of one distance that are remembered, and peers that keep a record (k).</summary>
    public int BucketSize { get; init; } = 20;

    /// <summary>Peers that one query asks at a time (alpha).</summary>
    public int Concurrency { get; init; } = 10;

    /// <summary>Bytes of a message, at most.</summary>
    public int MaxMessageSize { get; init; } = 4 << 20;

    /// <summary>Bytes of a key of content, at most.</summary>
    public int MaxProviderKey { get; init; } = 80;

    /// <summary>Longest time one peer takes to answer, with the dial.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Time a stream of another peer may lie idle.</summary>
    public TimeSpan StreamIdleTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Time between two refreshes of the table.</summary>
    public TimeSpan RefreshInterval { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Time without a sign of use after which a peer makes room for another.</summary>
    public TimeSpan UsefulFor { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>How long it is remembered that a peer has some content.</summary>
    public TimeSpan ProviderTtl { get; init; } = TimeSpan.FromHours(48);

    /// <summary>How long the addresses of providers are remembered.</summary>
    public TimeSpan ProviderAddressTtl { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How long records are kept.</summary>
    public TimeSpan RecordTtl { get; init; } = TimeSpan.FromHours(48);

    /// <summary>Provider entries and records kept for others, at most; the oldest go first.</summary>
    public int StoreLimit { get; init; } = 100_000;

    /// <summary>Judges records by the first part of their key (<c>pk</c> in <c>/pk/…</c>); others are refused.</summary>
    public IReadOnlyDictionary<string, IRecordValidator> Validators { get; init; } = new Dictionary<string, IRecordValidator> { ["pk"] = new PublicKeyValidator() };

    /// <summary>The protocol's name.</summary>
    public string Protocol => Prefix + "/kad/1.0.0";
}
