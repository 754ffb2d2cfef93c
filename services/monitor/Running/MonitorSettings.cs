using Cluster.Model;
using Cluster.Model.Configuration;
using Libp2p;

namespace Cluster.Monitor.Running;

/// <summary>What the monitor needs of the configuration and identity.</summary>
public sealed record MonitorSettings
{
    /// <summary>This peer.</summary>
    public required PeerId Peer { get; init; }

    /// <summary>Its name.</summary>
    public required string PeerName { get; init; }

    /// <summary>How often it pings; a ping holds twice as long.</summary>
    public TimeSpan PingInterval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How often metrics are looked through for expired ones.</summary>
    public TimeSpan CheckInterval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The disk informer, or null.</summary>
    public DiskSection? Disk { get; init; }

    /// <summary>The pin queue informer, or null.</summary>
    public PinQueueSection? PinQueue { get; init; }

    /// <summary>The tags informer, or null.</summary>
    public TagsSection? Tags { get; init; }

    /// <summary>Takes them from a loaded configuration.</summary>
    public static MonitorSettings From(ClusterConfiguration configuration, PeerId peer)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return new MonitorSettings
        {
            Peer = peer,
            PeerName = configuration.Cluster.PeerName,
            PingInterval = configuration.Cluster.MonitorPingInterval.ToTimeSpan(),
            CheckInterval = configuration.PubsubMon.CheckInterval.ToTimeSpan(),
            Disk = configuration.RunsDiskInformer ? configuration.Disk : null,
            PinQueue = configuration.RunsPinQueueInformer ? configuration.PinQueue : null,
            Tags = configuration.RunsTagsInformer ? configuration.Tags : null,
        };
    }
}
