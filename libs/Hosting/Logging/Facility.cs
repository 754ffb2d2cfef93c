using System.Collections.Frozen;

namespace Cluster.Hosting.Logging;

/// <summary>The facilities of the log (spec/observability.md 5.2). A logger's category is its facility.</summary>
public static class Facility
{
    /// <summary>Facilities of the cluster's own components; the overall level applies to them.</summary>
    public static FrozenSet<string> Cluster { get; } = new[]
    {
        "cluster", "service", "restapi", "restapilog", "pinsvcapi", "pinsvcapilog", "ipfsproxy", "ipfsproxylog", "crdt", "raft",
        "dsstate", "config", "pintracker", "optracker", "ipfshttp", "monitor", "diskinfo", "tags", "allocator", "adder", "singledags",
        "shardingdags", "pstoremgr", "apitypes",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Facilities of libraries that keep a level of their own unless they are named.</summary>
    public static FrozenDictionary<string, string> Libraries { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["p2p-gorpc"] = "error",
        ["swarm2"] = "error",
        ["libp2p-raft"] = "fatal",
        ["raftlib"] = "error",
        ["badger"] = "info",
        ["badger3"] = "info",
        ["pebble"] = "warn",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>
    /// The facility of a category: one without a dot is a facility; the server's, the client's and the runtime's own categories
    /// are libraries.
    /// </summary>
    public static string Of(string category)
    {
        ArgumentNullException.ThrowIfNull(category);
        if (!category.Contains('.', StringComparison.Ordinal))
            return category;
        if (category.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal))
            return "aspnetcore";
        if (category.StartsWith("Grpc.", StringComparison.Ordinal))
            return "grpc";
        return category.StartsWith("Microsoft.", StringComparison.Ordinal) ? "dotnet" : category;
    }
}
