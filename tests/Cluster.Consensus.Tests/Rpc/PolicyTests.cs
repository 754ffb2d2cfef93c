using Cluster.Consensus.Rpc;
using Cluster.PeerRpc;
using Cluster.PeerRpc.Msgpack;
using Cluster.PeerRpc.Streams;
using Libp2p;

namespace Cluster.Consensus.Tests.Rpc;

/// <summary>Who may call what (spec/peer-rpc.md 4).</summary>
public sealed class PolicyTests : IAsyncLifetime
{
    private static readonly string[] Open = ["Cluster.ID", "Cluster.IDStream", "Cluster.PeerAdd", "Cluster.Version"];

    private static readonly string[] Trusted =
    [
        "Cluster.PeerRemove", "Cluster.Peers", "Cluster.RecoverAllLocal", "Cluster.RecoverLocal", "Cluster.RepoGCLocal", "PinTracker.Recover",
        "PinTracker.Status", "PinTracker.StatusAll", "PinTracker.StatusAllSorted", "IPFSConnector.BlockStream", "IPFSConnector.RepoStat",
        "IPFSConnector.SwarmPeers", "Consensus.AddPeer", "Consensus.LogPin", "Consensus.LogUnpin", "Consensus.RmPeer",
    ];

    private static readonly string[] Closed =
    [
        "Cluster.Pin", "Cluster.Unpin", "Cluster.PinPath", "Cluster.UnpinPath", "Cluster.Pins", "Cluster.PinGet", "Cluster.PeersWithFilter",
        "Cluster.ConnectGraph", "Cluster.Join", "Cluster.StatusAll", "Cluster.StatusAllLocal", "Cluster.Status", "Cluster.StatusLocal",
        "Cluster.RecoverAll", "Cluster.Recover", "Cluster.BlockAllocate", "Cluster.RepoGC", "Cluster.SendInformerMetrics",
        "Cluster.SendInformersMetrics", "Cluster.Alerts", "Cluster.BandwidthByProtocol", "Cluster.IPFSID", "PinTracker.RecoverAll",
        "PinTracker.Track", "PinTracker.Untrack", "PinTracker.PinQueueSize", "IPFSConnector.Pin", "IPFSConnector.Unpin",
        "IPFSConnector.PinLsCid", "IPFSConnector.PinLs", "IPFSConnector.ConfigKey", "IPFSConnector.BlockGet", "IPFSConnector.Resolve",
        "Consensus.Peers", "PeerMonitor.LatestMetrics", "PeerMonitor.MetricNames",
    ];

    private Cluster _cluster = new([]);

    public static TheoryData<string> Refused => [.. Trusted.Concat(Closed)];

    public async Task InitializeAsync() => _cluster = new Cluster(await NetworkedPeer.ClusterAsync(2));

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public void The_table_is_that_of_the_specification()
    {
        var peer = _cluster[0];
        var table = RpcTable.MethodsOf(peer.Parts).ToLookup(m => m.Policy, m => m.Id.ToString());
        Assert.Equal(Open.Order(), table[RpcPolicy.Open].Order());
        Assert.Equal(Trusted.Order(), table[RpcPolicy.Trusted].Order());
        Assert.Equal(Closed.Order(), table[RpcPolicy.Closed].Order());
    }

    [Theory, MemberData(nameof(Refused))]
    public async Task A_peer_that_is_not_trusted_is_refused_before_its_argument_is_read(string method)
    {
        _cluster[1].Consensus.Trusted.Remove(_cluster[0].Id);
        var error = await CallAsync(method);
        Assert.Equal((ClusterErrorKind.NotTrusted, $"client does not have permissions to call {method}"), (error.Kind, error.Message));
        Assert.Empty(_cluster[1].Core.Tracker.Asked);
        Assert.Empty(_cluster[1].Core.Daemon.Stored);
    }

    [Fact]
    public async Task A_trusted_peer_is_refused_what_is_closed_and_told_what_is_unknown()
    {
        foreach (var method in Closed)
            Assert.Equal(ClusterErrorKind.NotTrusted, (await CallAsync(method)).Kind);
        foreach (var (method, text) in new[] { ("Nope.ID", "rpc: can't find service Nope"), ("Cluster.Nope", "rpc: can't find method Nope") })
        {
            var error = await CallAsync(method);
            Assert.Equal((ClusterErrorKind.Unimplemented, text), (error.Kind, error.Message));
        }
    }

    [Fact]
    public async Task Trust_is_asked_for_with_each_call()
    {
        var tracker = _cluster[0].Remote.TrackerOf(_cluster[1].Id);
        await tracker.StatusAsync(Peer.Cid(1), 0, CancellationToken.None);
        _cluster[1].Consensus.Trusted.Remove(_cluster[0].Id);
        await Assert.ThrowsAsync<ClusterException>(() => tracker.StatusAsync(Peer.Cid(1), 0, CancellationToken.None).AsTask());
        _cluster[1].Consensus.Trust(_cluster[0].Id);
        await tracker.StatusAsync(Peer.Cid(1), 0, CancellationToken.None);
    }

    private async Task<ClusterException> CallAsync(string method)
    {
        var parts = method.Split('.');
        var calls = new PeerCalls(_cluster[0].Host, TimeProvider.System, NetworkedPeer.Patient);
        return await Assert.ThrowsAsync<ClusterException>(() => calls.CallAsync(
            _cluster[1].Id, new ServiceId(parts[0], parts[1]), static writer => writer.Text("nothing that any method reads"),
            static (ref MsgpackReader reader) => reader.Value().Length, null, CancellationToken.None).AsTask());
    }
}
