using Cluster.Hosting;
using Cluster.Model.Configuration;
using Libp2p;

namespace Cluster.Consensus.Peering;

/// <summary>What the network side of a peer goes by: its configuration, and what the command line adds (spec/config.md 3.1, spec/libp2p.md 12, 13).</summary>
public sealed record PeeringSettings
{
    /// <summary>The peer's key.</summary>
    public required PrivateKey Key { get; init; }

    /// <summary>The section <c>cluster</c>.</summary>
    public required ClusterSection Cluster { get; init; }

    /// <summary>Name of the cluster: the topic of the pinset follows from it (spec/crdt.md 2).</summary>
    public string ClusterName { get; init; } = "ipfs-cluster";

    /// <summary>Peers to join after the start, in order; each address ends with its peer.</summary>
    public IReadOnlyList<Multiaddr> Bootstrap { get; init; } = [];

    /// <summary>Whether the peers of <see cref="Bootstrap"/> may change the pinset (<c>--no-trust</c> says no).</summary>
    public bool TrustBootstrap { get; init; } = true;

    /// <summary>Peers connected to at the start before the peer is content (spec/libp2p.md 13).</summary>
    public int FirstConnections { get; init; } = 3;

    /// <summary>A fabricated ping makes a peer that was reached a member until its own ping comes (spec/behaviour.md 2.1).</summary>
    public TimeSpan PingLife => 2 * Cluster.MonitorPingInterval.ToTimeSpan();

    /// <summary>Reads them.</summary>
    /// <exception cref="ServiceStartException">A bootstrap address is none, or names no peer.</exception>
    public static PeeringSettings From(ClusterConfiguration configuration, Identity identity, ServiceOptions options)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(identity);
        ArgumentNullException.ThrowIfNull(options);
        return new PeeringSettings
        {
            Key = identity.Key,
            Cluster = configuration.Cluster,
            ClusterName = configuration.Crdt.ClusterName,
            Bootstrap = ParseBootstrap(options.Variable(ServiceOptions.BootstrapVariable) ?? string.Empty),
            TrustBootstrap = options.Variable(ServiceOptions.NoTrustVariable) != "1",
        };
    }

    private static List<Multiaddr> ParseBootstrap(string list)
    {
        var addresses = new List<Multiaddr>();
        foreach (var item in list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (!Multiaddr.TryParse(item, out var address, out var error))
                throw new ServiceStartException($"error parsing bootstrap multiaddress ({item})", error);
            addresses.Add(address);
        }

        return addresses;
    }
}
