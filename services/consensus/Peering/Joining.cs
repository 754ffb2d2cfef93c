using Cluster.Consensus.Clients;
using Cluster.Consensus.Lifecycle;
using Cluster.Consensus.Replication;
using Cluster.Consensus.Rpc;
using Libp2p;
using Microsoft.Extensions.Logging;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Peering;

/// <summary>
/// Joins the cluster of another peer (spec/behaviour.md 10.1): connects to it for good, asks it to take this peer in, learns of its
/// members, and tells them of this one.
/// </summary>
public sealed class Joining(
    ClusterNetwork network, KnownPeers known, PeerKeeper keeper, MetricGossip metrics, PeeringSettings settings, IConsensus consensus,
    IRemotePeers remote, ITracker tracker, Func<CancellationToken, Task> connectDaemons, ILoggerFactory loggers) : IAsyncDisposable
{
    private readonly ILogger _cluster = loggers.CreateLogger("cluster");
    private readonly ILogger _service = loggers.CreateLogger("service");
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _lock = new();
    private readonly HashSet<Task> _running = [];

    /// <summary>Joins the peers of the command line, one after the other; failures are logged (spec/service-cli.md 2.2).</summary>
    public void Bootstrap() => Own(BootstrapAsync(_stopping.Token));

    /// <summary>Joins the cluster of the peer at an address. Its own address does nothing.</summary>
    /// <param name="address">Ends with the peer, or is a name that leads to such addresses.</param>
    /// <param name="trust">Whether the peer may change the pinset from now on.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="ClusterException">The peer cannot be reached or does not take this one in; it is tried on to be connected to.</exception>
    public async Task JoinAsync(Multiaddr address, bool trust, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(address);
        var (peer, addresses) = await FindAsync(address, cancellationToken);
        if (peer == network.Host.Id)
            return;
        foreach (var found in addresses)
            known.Prefer(found);
        if (trust)
        {
            consensus.Trust(peer);
            network.Protect(peer);
        }

        var info = await AskAsync(peer, addresses, cancellationToken);
        foreach (var bytes in info.ClusterPeersAddresses.Concat(info.Addresses))
        {
            if (Multiaddr.TryFromBytes(bytes.Span, out var other, out _) && other.PeerId is { } named && named != network.Host.Id)
                network.Host.Peerstore.AddAddress(other, AddressTtl.Imported);
        }

        await consensus.AddPeerAsync(peer, cancellationToken);
        metrics.Presume(peer, settings.PingLife);
        metrics.Repeat();
        keeper.Nudge();
        Own(SettleAsync(_stopping.Token));
        PeeringLog.Joined(_cluster, network.Host.Id, peer);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested)
            return;
        await _stopping.CancelAsync();
        Task[] running;
        lock (_lock)
            running = [.. _running];
        await Task.WhenAll(running);
    }

    private async Task BootstrapAsync(CancellationToken cancellationToken)
    {
        foreach (var address in settings.Bootstrap)
        {
            PeeringLog.Bootstrapping(_service, address);
            try
            {
                await JoinAsync(address, settings.TrustBootstrap, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // Whatever kept it from being joined, the next one is tried.
                PeeringLog.JoinFailed(_cluster, e.Message);
                PeeringLog.BootstrapFailed(_service, address, e.Message);
            }
        }
    }

    private async Task<(PeerId Peer, IReadOnlyList<Multiaddr> Addresses)> FindAsync(Multiaddr address, CancellationToken cancellationToken)
    {
        if (address.PeerId is { } named)
            return (named, [address]);
        try
        {
            var found = (await network.Host.ResolveAsync(address, cancellationToken)).Where(a => a.PeerId is not null).ToList();
            if (found.Count == 0)
                throw new ClusterException(ClusterErrorKind.InvalidArgument, $"{address} does not end with /p2p/<peer>, and no name in it leads to such an address");
            var peer = found[0].PeerId!.Value;
            return (peer, [.. found.Where(a => a.PeerId == peer)]);
        }
        catch (IOException e)
        {
            throw new ClusterException(ClusterErrorKind.Unavailable, $"resolving {address}: {e.Message}", e);
        }
    }

    private async Task<V1.PeerInfo> AskAsync(PeerId peer, IReadOnlyList<Multiaddr> addresses, CancellationToken cancellationToken)
    {
        try
        {
            // At the addresses that the user named, also when it could not be reached a moment ago.
            await network.Host.DialAsync(peer, addresses, cancellationToken);
        }
        catch (Exception e)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw Failures.Of(e);
        }

        var info = await remote.JoinAsync(peer, cancellationToken);
        return info.Error.Length == 0 ? info : throw new ClusterException(ClusterErrorKind.Unavailable, info.Error);
    }

    /// <summary>What follows a join and nobody waits for.</summary>
    private async Task SettleAsync(CancellationToken cancellationToken)
    {
        try
        {
            await network.Dht.FindClosestAsync(network.Host.Id.ToBytes(), cancellationToken);
            await foreach (var _ in tracker.RecoverAllAsync(0, cancellationToken))
            {
                // The tracker tells of what it recovers by itself.
            }

            await Pause.ForAsync(settings.Cluster.MonitorPingInterval.ToTimeSpan(), network.Host.Options.Time, cancellationToken);
            await connectDaemons(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The peer stops.
        }
        catch (Exception e)
        {
            PeeringLog.NotSettled(_cluster, e.Message);
        }
    }

    /// <summary>None of these tasks fails: each logs what became of it.</summary>
    private void Own(Task task)
    {
        lock (_lock)
        {
            _running.RemoveWhere(static t => t.IsCompleted);
            _running.Add(task);
        }
    }
}
