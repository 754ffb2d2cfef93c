namespace Cluster.Hosting;

/// <summary>One of the five services of a peer.</summary>
public sealed record ServiceName
{
    private ServiceName(string name) => Name = name;

    /// <summary>Identity, shared state and cluster logic.</summary>
    public static ServiceName Consensus { get; } = new("consensus");

    /// <summary>What this peer must hold.</summary>
    public static ServiceName Tracker { get; } = new("tracker");

    /// <summary>The IPFS daemon.</summary>
    public static ServiceName Connector { get; } = new("connector");

    /// <summary>Metrics and alerts.</summary>
    public static ServiceName Monitor { get; } = new("monitor");

    /// <summary>The HTTP faces.</summary>
    public static ServiceName Gateway { get; } = new("gateway");

    /// <summary>All of them.</summary>
    public static IReadOnlyList<ServiceName> All { get; } = [Consensus, Connector, Monitor, Tracker, Gateway];

    /// <summary>The name, in lower case.</summary>
    public string Name { get; }

    /// <summary>The name of the executable.</summary>
    public string Executable => "cluster-" + Name;

    /// <summary>The variable that says where the service listens and is found.</summary>
    public string EndpointVariable => $"CLUSTER_{Name.ToUpperInvariant()}_ENDPOINT";

    /// <inheritdoc/>
    public override string ToString() => Name;
}
