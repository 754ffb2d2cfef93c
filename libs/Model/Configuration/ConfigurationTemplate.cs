using Libp2p;

namespace Cluster.Model.Configuration;

/// <summary>Configurations for <c>init</c> (spec/service-cli.md 2.1).</summary>
public static class ConfigurationTemplate
{
    /// <summary>
    /// Defaults with the chosen consensus (<c>crdt</c>, <c>raft</c>) and, for crdt, datastore, and the environment written in.
    /// </summary>
    /// <param name="consensus"><c>crdt</c> or <c>raft</c>.</param>
    /// <param name="datastore"><c>pebble</c>, <c>badger3</c>, <c>badger</c> or <c>leveldb</c>; raft has none.</param>
    /// <param name="secret">32 random bytes; <c>CLUSTER_SECRET</c> goes over them.</param>
    /// <param name="surroundings">Folder, environment and host name.</param>
    /// <exception cref="ConfigurationException">An environment variable cannot be used.</exception>
    public static ClusterConfiguration Create(string consensus, string datastore, ReadOnlyMemory<byte> secret, ConfigurationSurroundings surroundings)
    {
        var defaults = Defaults(consensus, datastore, secret, surroundings);
        return ConfigurationLoader.ApplyEnvironment(defaults, surroundings);
    }

    /// <summary>The same before the environment is put over it: the place for random ports.</summary>
    public static ClusterConfiguration Defaults(string consensus, string datastore, ReadOnlyMemory<byte> secret, ConfigurationSurroundings surroundings)
    {
        var defaults = ConfigurationLoader.Defaults(surroundings);
        HashSet<string> present =
        [
            "api.restapi", "api.pinsvcapi", "api.ipfsproxy", "ipfs_connector.ipfshttp", "pin_tracker.stateless", "monitor.pubsubmon",
            "allocator.balanced", "informer.disk", "informer.pinqueue", "informer.tags", "observations.metrics", "observations.tracing",
            "consensus." + consensus,
        ];
        if (consensus == "crdt")
            present.Add("datastore." + datastore);
        return defaults with { Present = present, Cluster = defaults.Cluster with { Secret = secret } };
    }

    /// <summary>With <c>--peers</c>: these are trusted (crdt) or the first voters (raft).</summary>
    public static ClusterConfiguration WithPeers(ClusterConfiguration configuration, IReadOnlyList<PeerId> peers)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(peers);
        return peers.Count == 0
            ? configuration
            : configuration with
            {
                Crdt = configuration.Crdt with { TrustAll = false, TrustedPeers = peers },
                Raft = configuration.Raft with { InitPeerset = peers },
            };
    }

    /// <summary>The file for <c>init &lt;url&gt;</c>: nothing but the source.</summary>
    public static string SourceOnly(string url)
    {
        var writer = new SettingsWriter();
        writer.Open('{');
        writer.Name("source");
        writer.Text(url);
        writer.Close('}');
        return writer.ToString();
    }
}
