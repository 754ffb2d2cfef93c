using System.Net;

namespace Libp2p.Mdns;

/// <summary>Parameters of discovery; the defaults are those of a cluster peer (spec libp2p §10).</summary>
public sealed record MdnsOptions
{
    /// <summary>The service that peers of a cluster ask for.</summary>
    public const string ClusterService = "_ipfs-cluster-discovery._udp";

    /// <summary>Name of the service; peers of another service are not found.</summary>
    public string Service { get; init; } = ClusterService;

    /// <summary>Port of multicast DNS.</summary>
    public int Port { get; init; } = 5353;

    /// <summary>Groups to ask in and listen to.</summary>
    public IReadOnlyList<IPAddress> Groups { get; init; } = [IPAddress.Parse("224.0.0.251"), IPAddress.Parse("ff02::fb")];

    /// <summary>Local addresses of the interfaces to use; none for the system's choice.</summary>
    public IReadOnlyList<IPAddress> Interfaces { get; init; } = [];

    /// <summary>Time between probes.</summary>
    public TimeSpan ProbeInterval { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Time between announcements.</summary>
    public TimeSpan AnnounceInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Time between the first two questions; it grows to <see cref="MaxQueryInterval"/>.</summary>
    public TimeSpan QueryInterval { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>Longest time between questions.</summary>
    public TimeSpan MaxQueryInterval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Longest time that the dial of a found peer takes.</summary>
    public TimeSpan DialTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether found peers are dialled, or only noted in the peerstore.</summary>
    public bool Dial { get; init; } = true;

    /// <summary>Dials at a time; peers found meanwhile are dialled when they answer the next question.</summary>
    public int MaxDials { get; init; } = 8;
}
