using Cluster.Consensus.Clients;
using Cluster.Consensus.Replication;
using Google.Protobuf;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Members;

/// <summary>
/// Who sees whom: each member is asked which members it reaches, and then for its daemon's neighbours (spec/peer-rpc.md 6,
/// spec/rest-api.md 10). All are asked side by side; one that does not answer in time has no links.
/// </summary>
internal sealed class ConnectionGraph(IConsensus consensus, SelfPeer self, IDaemon daemon, IRemotePeers remote, Membership membership)
{
    /// <summary>A member asks all others itself, and gives up on them after 15 s.</summary>
    private static readonly TimeSpan MemberTimeout = TimeSpan.FromSeconds(20);

    internal async Task<V1.ConnectGraphResponse> BuildAsync(CancellationToken cancellationToken)
    {
        var graph = new V1.ConnectGraphResponse { ClusterId = UnsafeByteOperations.UnsafeWrap(self.Id.ToBytes()) };
        var members = await consensus.PeersAsync(cancellationToken);
        var views = await Task.WhenAll(members.Select(peer => ViewOfAsync(peer, cancellationToken)));
        foreach (var view in views)
        {
            var id = view.Peer.ToString();
            graph.ClusterTrustLinks[id] = consensus.IsTrusted(view.Peer);
            graph.ClusterLinks[id] = new V1.ConnectGraphResponse.Types.Links();
            graph.ClusterLinks[id].To.Add(view.Links);
            if (view.Own is not { } own)
                continue;
            graph.IdToPeerName[id] = own.PeerName;
            if (view.Daemons is null)
                continue;
            graph.ClusterToIpfs[id] = own.Ipfs.Id;
            graph.IpfsLinks[own.Ipfs.Id] = new V1.ConnectGraphResponse.Types.Links();
            graph.IpfsLinks[own.Ipfs.Id].To.Add(view.Daemons);
        }

        return graph;
    }

    private async Task<View> ViewOfAsync(PeerId peer, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(MemberTimeout);
        var links = new List<string>();
        V1.PeerInfo? own = null;
        try
        {
            var seen = peer == self.Id ? membership.DescribeAllAsync(timeout.Token) : remote.MembersOfAsync(peer, timeout.Token);
            await foreach (var info in seen)
            {
                if (info.Error.Length > 0)
                    continue;
                if (info.Id.Span.SequenceEqual(peer.Bytes))
                    own = info;
                else if (PeerId.TryFromBytes(info.Id.Span, out var seenPeer, out _))
                    links.Add(seenPeer.ToString());
            }
        }
        catch (Exception e) when (IsNoAnswer(e, cancellationToken))
        {
            // What it told before counts.
        }

        links.Sort(StringComparer.Ordinal);
        return new View(peer, links, own, own?.Ipfs is { Error.Length: 0, Id.Length: > 0 } ? await DaemonsOfAsync(peer, timeout.Token, cancellationToken) : null);
    }

    private async Task<IReadOnlyList<string>> DaemonsOfAsync(PeerId peer, CancellationToken timeout, CancellationToken cancellationToken)
    {
        try
        {
            return await (peer == self.Id ? daemon : remote.DaemonOf(peer)).SwarmPeersAsync(timeout);
        }
        catch (Exception e) when (IsNoAnswer(e, cancellationToken))
        {
            // A daemon that does not tell its peers has none in the graph.
            return [];
        }
    }

    private static bool IsNoAnswer(Exception e, CancellationToken cancellationToken) =>
        e is ClusterException || e is OperationCanceledException && !cancellationToken.IsCancellationRequested;

    private sealed record View(PeerId Peer, List<string> Links, V1.PeerInfo? Own, IReadOnlyList<string>? Daemons);
}
