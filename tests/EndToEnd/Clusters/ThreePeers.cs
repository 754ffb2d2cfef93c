namespace Cluster.EndToEnd.Tests.Clusters;

/// <summary>Three peers with a daemon each, fifteen services, for all tests of the collection, which run one after the other.</summary>
public sealed class ThreePeers : IAsyncLifetime
{
    private LocalCluster? _cluster;

    public LocalCluster Cluster => _cluster ?? throw new InvalidOperationException("the cluster has not been started");

    public Member First => Cluster.Members[0];

    public Member Second => Cluster.Members[1];

    public Member Third => Cluster.Members[2];

    public async Task InitializeAsync() => _cluster = await LocalCluster.StartAsync(3);

    public async Task DisposeAsync()
    {
        if (_cluster is not null)
            await _cluster.DisposeAsync();
    }
}

[CollectionDefinition(Name)]
public sealed class ThreePeersCollection : ICollectionFixture<ThreePeers>
{
    public const string Name = "three peers";
}
