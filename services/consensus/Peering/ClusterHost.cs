using Cluster.Model.Configuration;
using Libp2p;
using Microsoft.Extensions.Logging;

namespace Cluster.Consensus.Peering;

/// <summary>Makes the libp2p host of a cluster peer (spec/libp2p.md 1, 2, 13).</summary>
internal static class ClusterHost
{
    /// <summary>What the original says it is; its version is missing there too (golden/libp2p).</summary>
    internal const string AgentVersion = "github.com/ipfs-cluster/ipfs-cluster@";

    /// <summary>Makes a host that does not listen yet.</summary>
    /// <param name="settings">Configuration.</param>
    /// <param name="time">Clock.</param>
    /// <param name="logger">Facility <c>swarm2</c>.</param>
    /// <param name="limits">Limits on what others may cost.</param>
    internal static Libp2pHost Create(PeeringSettings settings, TimeProvider time, ILogger logger, ResourceLimits limits)
    {
        var cluster = settings.Cluster;
        var marks = cluster.ConnectionManager;
        return new Libp2pHost(
            new Libp2p.HostOptions
            {
                Key = settings.Key,
                Listen = [.. cluster.ListenAddresses.Where(IsServed)],
                Secret = cluster.Secret.IsEmpty ? null : NetworkSecret.FromBytes(cluster.Secret.Span),
                Announce = cluster.AnnounceAddresses,
                NoAnnounce = cluster.NoAnnounceAddresses,
                AgentVersion = AgentVersion,
                DialTimeout = cluster.DialPeerTimeout.ToTimeSpan(),
                Limits = limits,
                Connections = new ConnectionTrimOptions
                {
                    LowWater = marks.LowWater,
                    HighWater = marks.HighWater,
                    Grace = marks.GracePeriod.ToTimeSpan(),
                },
                Time = time,
            },
            logger);
    }

    /// <summary>A generated configuration names a QUIC address, which the original cannot listen on either.</summary>
    private static bool IsServed(Multiaddr address) => address.Has(AddressProtocol.Tcp);
}
