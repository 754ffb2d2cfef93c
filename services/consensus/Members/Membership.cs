using System.Runtime.CompilerServices;
using Cluster.Consensus.Clients;
using Cluster.Consensus.Metrics;
using Cluster.Consensus.Replication;
using Cluster.Consensus.Services;
using Cluster.Model;
using Google.Protobuf;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Members;

/// <summary>What concerns the members as a whole: who they are, their daemons' garbage, who sees whom (spec/behaviour.md 10, 14).</summary>
public sealed class Membership(
    IConsensus consensus, SelfPeer self, IDaemon daemon, IRemotePeers remote, MetricSnapshot metrics, Evacuation evacuation)
{
    /// <summary>A peer that does not answer within this time is listed with its error (spec/behaviour.md 14).</summary>
    private static readonly TimeSpan PeersTimeout = TimeSpan.FromSeconds(15);

    /// <summary>Peers whose ping is valid, and this one: the destinations of what is to be everywhere.</summary>
    public IReadOnlyList<PeerId> ReachablePeers() =>
        [.. metrics.Latest("ping").Select(m => m.Peer).Append(self.Id).Distinct().Order()];

    /// <summary>Every member's description, in the order in which they answer; members that do not trust us are left out.</summary>
    public async IAsyncEnumerable<V1.PeerInfo> DescribeAllAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(PeersTimeout);
        var asked = new List<Task<V1.PeerInfo?>>();
        try
        {
            foreach (var peer in await consensus.PeersAsync(cancellationToken))
                asked.Add(DescribeAsync(peer, timeout.Token, cancellationToken));
            await foreach (var answer in Task.WhenEach(asked).WithCancellation(cancellationToken))
            {
                if (await answer is { } info)
                    yield return info;
            }
        }
        finally
        {
            // Whoever has heard enough leaves nobody behind who asks on.
            await timeout.CancelAsync();
            await ((Task)Task.WhenAll(asked)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Who sees whom (spec/rest-api.md 10).</summary>
    public Task<V1.ConnectGraphResponse> ConnectGraphAsync(CancellationToken cancellationToken) =>
        new ConnectionGraph(consensus, self, daemon, remote, this).BuildAsync(cancellationToken);

    /// <summary>Takes a peer in and gives its description (spec/behaviour.md 10.1).</summary>
    public async Task<V1.PeerInfo> AddAsync(PeerId peer, CancellationToken cancellationToken)
    {
        await consensus.AddPeerAsync(peer, cancellationToken);
        var info = peer == self.Id ? await self.DescribeAsync(cancellationToken) : await remote.CallBackAsync(peer, cancellationToken);
        var own = UnsafeByteOperations.UnsafeWrap(self.Id.ToBytes());
        if (!info.ClusterPeers.Contains(own))
            info.ClusterPeers.Add(own);
        return info;
    }

    /// <summary>Moves a member's pins elsewhere, then takes it out (spec/behaviour.md 10.2).</summary>
    public async Task RemoveAsync(PeerId peer, CancellationToken cancellationToken)
    {
        await evacuation.RunAsync(peer, onlyResponsible: false, cancellationToken);
        await consensus.RemovePeerAsync(peer, cancellationToken);
    }

    /// <summary>
    /// Collects garbage here, or on all members side by side; failures are told of per peer. Members that do not trust us are left out.
    /// </summary>
    public async Task<V1.ClusterRepoGcResponse> CollectGarbageAsync(bool local, CancellationToken cancellationToken)
    {
        var members = local ? [self.Id] : await consensus.PeersAsync(cancellationToken);
        var response = new V1.ClusterRepoGcResponse();
        foreach (var collected in await Task.WhenAll(members.Select(peer => CollectGarbageOfAsync(peer, local, cancellationToken))))
        {
            if (collected is not null)
                response.Peers.Add(collected);
        }

        return response;
    }

    /// <summary>Collects garbage of one member; null when it does not trust us.</summary>
    private async Task<V1.RepoGc?> CollectGarbageOfAsync(PeerId peer, bool local, CancellationToken cancellationToken)
    {
        var result = new V1.RepoGc
        {
            Peer = UnsafeByteOperations.UnsafeWrap(peer.ToBytes()),
            PeerName = peer == self.Id ? self.Name : metrics.PingOf(peer).PeerName,
        };
        try
        {
            result.Keys.Add(await (peer == self.Id ? daemon : remote.DaemonOf(peer)).RepoGcAsync(cancellationToken));
        }
        catch (ClusterException e) when (!local && e.Kind == ClusterErrorKind.NotTrusted && peer != self.Id)
        {
            return null;
        }
        catch (Exception e) when (!local && !cancellationToken.IsCancellationRequested)
        {
            // Whatever it is: the others have collected theirs, and are told of.
            result.Error = e.Message;
        }

        return result;
    }

    private async Task<V1.PeerInfo?> DescribeAsync(PeerId peer, CancellationToken timeout, CancellationToken cancellationToken)
    {
        try
        {
            return peer == self.Id ? await self.DescribeAsync(timeout) : await remote.IdAsync(peer, timeout);
        }
        catch (ClusterException e) when (e.Kind == ClusterErrorKind.NotTrusted && peer != self.Id)
        {
            return null;
        }
        catch (ClusterException e)
        {
            return new V1.PeerInfo { Id = UnsafeByteOperations.UnsafeWrap(peer.ToBytes()), Error = e.Message };
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new V1.PeerInfo { Id = UnsafeByteOperations.UnsafeWrap(peer.ToBytes()), Error = "context deadline exceeded" };
        }
    }
}
