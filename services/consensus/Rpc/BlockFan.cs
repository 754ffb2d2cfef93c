using System.Threading.Channels;
using Cluster.Consensus.Clients;
using Google.Protobuf;
using Grpc.Core;
using Libp2p;
using Microsoft.Extensions.Logging;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Rpc;

/// <summary>
/// Blocks to the daemons of several peers at once (network.proto, PutBlocks). Each has a short queue of its own: the slowest sets the
/// pace, and one that fails is left out while another remains.
/// </summary>
internal sealed class BlockFan : IAsyncDisposable
{
    /// <summary>Bunches of blocks that wait for a destination; a full queue holds the sender back.</summary>
    private const int BunchesWaiting = 4;

    private readonly CancellationTokenSource _stopping;
    private readonly List<Destination> _destinations;
    private readonly SemaphoreSlim _news = new(0);

    /// <param name="peers">Who gets the blocks, each with its daemon.</param>
    /// <param name="logger">Facility cluster.</param>
    /// <param name="cancellationToken">Ends everything.</param>
    internal BlockFan(IEnumerable<(PeerId Peer, IDaemon Daemon)> peers, ILogger logger, CancellationToken cancellationToken)
    {
        _stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _destinations = [.. peers.Select(peer => new Destination(peer.Peer))];
        foreach (var (destination, (_, daemon)) in _destinations.Zip(peers))
            destination.Sending = destination.RunAsync(daemon, logger, () => _news.Release(), _stopping.Token);
    }

    /// <summary>Gives blocks to all destinations that have not failed; waits while one of them is busy.</summary>
    internal async ValueTask PutAsync(IReadOnlyList<V1.Block> bunch, CancellationToken cancellationToken)
    {
        foreach (var destination in _destinations)
        {
            try
            {
                if (destination.Failure is null)
                    await destination.Bunches.Writer.WriteAsync(bunch, cancellationToken);
            }
            catch (ChannelClosedException)
            {
                // It failed meanwhile, and says why itself.
            }
        }
    }

    /// <summary>No more blocks come.</summary>
    internal void Complete()
    {
        foreach (var destination in _destinations)
            destination.Bunches.Writer.TryComplete();
    }

    /// <summary>Tells of what destinations have taken, and of failures, as they happen, until all have ended.</summary>
    internal async Task ReportAsync(Func<V1.NetworkPutBlocksResponse, Task> report, CancellationToken cancellationToken)
    {
        var news = _news.WaitAsync(cancellationToken);
        while (true)
        {
            if (news.IsCompleted)
            {
                await news;
                news = _news.WaitAsync(cancellationToken);
            }

            // Looked at before the news are taken: what ends from here on wakes this loop once more.
            var running = _destinations.Where(d => !d.Sending.IsCompleted).Select(d => d.Sending).ToList();
            var response = new V1.NetworkPutBlocksResponse();
            foreach (var destination in _destinations)
            {
                if (destination.TakeNews() is { } told)
                    response.Destinations.Add(told);
            }

            if (response.Destinations.Count > 0)
                await report(response);
            if (running.Count == 0)
                return;
            await Task.WhenAny([news, .. running]);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        Complete();
        await Task.WhenAll(_destinations.Select(d => d.Sending));
        _stopping.Dispose();
        _news.Dispose();
    }

    private sealed class Destination(PeerId peer)
    {
        private readonly Lock _lock = new();
        private long _written;
        private bool _failureTold;

        internal Channel<IReadOnlyList<V1.Block>> Bunches { get; } = Channel.CreateBounded<IReadOnlyList<V1.Block>>(
            new BoundedChannelOptions(BunchesWaiting) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true, SingleWriter = true });

        internal Task Sending { get; set; } = Task.CompletedTask;

        internal V1.ItemError? Failure { get; private set; }

        /// <summary>Never throws: a failure is noted and told of.</summary>
        internal async Task RunAsync(IDaemon daemon, ILogger logger, Action tell, CancellationToken cancellationToken)
        {
            await Task.Yield();
            try
            {
                await daemon.PutBlocksAsync(
                    Bunches.Reader.ReadAllAsync(cancellationToken),
                    count =>
                    {
                        Interlocked.Add(ref _written, count);
                        tell();
                    },
                    cancellationToken);
            }
            catch (Exception e)
            {
                lock (_lock)
                    Failure = Services.RpcErrors.ItemOf(e, logger);
            }
            finally
            {
                Bunches.Writer.TryComplete();
                while (Bunches.Reader.TryRead(out _))
                {
                    // What nobody will take any more must not hold up who still writes.
                }
            }
        }

        internal V1.NetworkPutBlocksResponse.Types.Destination? TakeNews()
        {
            lock (_lock)
            {
                var written = Interlocked.Exchange(ref _written, 0);
                var failed = Failure is not null && !_failureTold;
                if (written == 0 && !failed)
                    return null;
                _failureTold |= failed;
                return new V1.NetworkPutBlocksResponse.Types.Destination
                {
                    Peer = UnsafeByteOperations.UnsafeWrap(peer.ToBytes()),
                    Written = (uint)written,
                    Error = failed ? Failure : null,
                };
            }
        }
    }
}
