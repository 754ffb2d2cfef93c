using Cluster.Consensus.Replication;
using Cluster.CrdtState;
using Crdt;
using Libp2p;
using Microsoft.Extensions.Logging;

namespace Cluster.Consensus.CrdtReplication;

/// <summary>
/// Fetches nodes of the DAG, up to 50 at a time (spec/crdt.md 1). It reads ahead: the links of a node that arrived are asked for while
/// the node still waits to be merged, so that a long chain costs a round trip a node and not a write to the disk. What arrived and is
/// not merged yet is bounded in bytes: beyond, nothing new is asked for. The newest want goes first, and who asks in vain gives way to
/// others after a while, so that blocks that nobody has do not hold up those that are there.
/// </summary>
internal sealed class BlockFetcher : IAsyncDisposable
{
    /// <summary>Fetches under way at most.</summary>
    internal const int Workers = 50;

    /// <summary>A block that nobody gave within this time is given up until it is asked for again.</summary>
    internal static readonly TimeSpan FetchTimeout = TimeSpan.FromMinutes(2);

    /// <summary>How long one asks before others have their turn.</summary>
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(10);

    private const long MaxUnmergedBytes = 32 << 20;

    /// <summary>Wants that may wait; what comes beyond is dropped here and asked for again with the next repair.</summary>
    private const int MaxWaiting = 1 << 16;

    private readonly ICrdtNetwork _network;
    private readonly CrdtReader _store;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly Action<CrdtInput> _deliver;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private readonly HashSet<BlockId> _known = []; // queued, being fetched, or arrived and not merged yet
    private readonly LinkedList<Quest> _queue = new();
    private int _active;
    private long _unmergedBytes;

    /// <param name="network">Who fetches.</param>
    /// <param name="store">Tells which blocks are merged.</param>
    /// <param name="clock">For the timeout.</param>
    /// <param name="logger">Facility <c>crdt</c>.</param>
    /// <param name="deliver">Takes what arrived, and what did not.</param>
    internal BlockFetcher(ICrdtNetwork network, CrdtReader store, TimeProvider clock, ILogger logger, Action<CrdtInput> deliver)
    {
        _network = network;
        _store = store;
        _clock = clock;
        _logger = logger;
        _deliver = deliver;
    }

    /// <summary>Asks for blocks; those that are asked for already, are merged, or are here and wait for that, are passed over.</summary>
    internal void Want(IReadOnlyList<(BlockId Block, PeerId? From)> blocks)
    {
        if (blocks.Count == 0)
            return;
        lock (_lock)
        {
            foreach (var block in blocks)
            {
                // Looked up under the lock: a block is merged before it is settled, so it cannot slip through between the two.
                if (_queue.Count < MaxWaiting && !_known.Contains(block.Block) && !MerkleCrdt.IsMerged(_store, block.Block))
                {
                    _known.Add(block.Block);
                    _queue.AddFirst(new Quest(block.Block, block.From, TimeSpan.Zero));
                }
            }
        }

        Pump();
    }

    /// <summary>A block that arrived was merged, or nobody wanted it any more.</summary>
    internal void Settled(BlockId block, int bytes)
    {
        lock (_lock)
        {
            _known.Remove(block);
            _unmergedBytes -= bytes;
        }

        Pump();
    }

    /// <summary>Forgets what waits to be fetched.</summary>
    internal void Forget()
    {
        lock (_lock)
        {
            foreach (var quest in _queue)
                _known.Remove(quest.Block);
            _queue.Clear();
        }
    }

    /// <summary>Ends all fetches and waits for their end.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Forget();
        lock (_lock)
        {
            if (_active == 0)
                _drained.TrySetResult();
        }

        await _drained.Task;
    }

    private void Pump()
    {
        while (true)
        {
            Quest quest;
            lock (_lock)
            {
                if (_stop.IsCancellationRequested || _active == Workers || _unmergedBytes > MaxUnmergedBytes || _queue.Count == 0)
                    return;
                quest = _queue.First!.Value;
                _queue.RemoveFirst();
                _active++;
            }

            // Ends by itself: whatever fails is delivered or logged, and the last one lets go of those who wait in DisposeAsync.
            _ = Task.Run(() => RunAsync(quest));
        }
    }

    private async Task RunAsync(Quest quest)
    {
        try
        {
            await FetchAsync(quest);
        }
        catch (Exception e)
        {
            ReplicationLog.BlockUnavailable(_logger, quest.Block.ToString(), e.Message);
        }

        lock (_lock)
        {
            _active--;
            if (_active == 0 && _stop.IsCancellationRequested)
                _drained.TrySetResult();
        }

        Pump();
    }

    private async Task FetchAsync(Quest quest)
    {
        var (block, from, spent) = quest;
        ReadOnlyMemory<byte> bytes;
        using var timeout = new CancellationTokenSource(Turn, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _stop.Token);
        try
        {
            bytes = await _network.FetchAsync(block.ToCid(), from, either.Token);
            if (BlockId.Of(bytes.Span) != block)
                throw new CrdtFormatException("other bytes than those of the block came");
        }
        catch (Exception e)
        {
            var outOfTime = timeout.IsCancellationRequested;
            lock (_lock)
            {
                if (outOfTime && spent + Turn < FetchTimeout && !_stop.IsCancellationRequested)
                {
                    _queue.AddLast(quest with { Spent = spent + Turn });
                    return;
                }

                _known.Remove(block);
            }

            if (_stop.IsCancellationRequested)
                return;
            ReplicationLog.BlockUnavailable(_logger, block.ToString(), outOfTime ? "nobody gave it in time" : e.Message);
            _deliver(new CrdtInput.Unavailable(block));
            return;
        }

        lock (_lock)
            _unmergedBytes += bytes.Length;
        _deliver(new CrdtInput.Arrived(block, bytes, from));

        // After the delivery: a child must not come before the node that makes it wanted.
        ReadAhead(bytes, from);
    }

    private void ReadAhead(ReadOnlyMemory<byte> bytes, PeerId? from)
    {
        IReadOnlyList<BlockId> links;
        try
        {
            links = DagNode.ParseLinks(bytes.Span);
        }
        catch (CrdtFormatException)
        {
            return; // told of where it is merged
        }

        Want([.. links.Select(link => (link, from))]);
    }

    /// <summary>A block that is wanted.</summary>
    /// <param name="Block">Its name.</param>
    /// <param name="From">Who named it.</param>
    /// <param name="Spent">How long it was asked for in vain.</param>
    private readonly record struct Quest(BlockId Block, PeerId? From, TimeSpan Spent);
}
