using Cluster.Consensus.Replication;
using Cluster.CrdtState;
using Crdt;
using Libp2p;
using Microsoft.Extensions.Logging;

namespace Cluster.Consensus.CrdtReplication;

/// <summary>
/// Fetches nodes of the DAG, up to 50 at a time (spec/crdt.md 1). It reads ahead: the links of a node that arrived are asked for while
/// the node still waits to be merged, so that a long chain costs a round trip a node and not a write to the disk; and where a chain is
/// long, a peer that can is asked for all of it at once. What arrived and is not merged yet is bounded in bytes: beyond, nothing new is
/// asked for. The newest want goes first, and who asks in vain gives way to others after a while, so that blocks that nobody has do not
/// hold up those that are there.
/// </summary>
internal sealed partial class BlockFetcher : IAsyncDisposable
{
    /// <summary>Fetches under way at most.</summary>
    internal const int Workers = 50;

    /// <summary>A block that nobody gave within this time is given up until it is asked for again.</summary>
    internal static readonly TimeSpan FetchTimeout = TimeSpan.FromMinutes(2);

    /// <summary>How long one asks before others have their turn.</summary>
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(10);

    private const long MaxUnmergedBytes = 32 << 20;

    /// <summary>What a block that waits costs beside its bytes, about.</summary>
    private const int BytesBeside = 256;

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
    private readonly Dictionary<BlockId, Quest> _known = []; // asked for and not merged yet
    private readonly LinkedList<Quest> _queue = new();
    private int _active;
    private long _unmergedBytes;

    /// <param name="network">Who fetches.</param>
    /// <param name="store">Tells which blocks are merged.</param>
    /// <param name="clock">For the timeout.</param>
    /// <param name="logger">Facility <c>crdt</c>.</param>
    /// <param name="deliver">Takes what arrived, and what did not. Called under a lock: it must neither wait nor come back here.</param>
    internal BlockFetcher(ICrdtNetwork network, CrdtReader store, TimeProvider clock, ILogger logger, Action<CrdtInput> deliver)
    {
        _network = network;
        _store = store;
        _clock = clock;
        _logger = logger;
        _deliver = deliver;
    }

    /// <summary>Where a block is that was asked for.</summary>
    private enum Place
    {
        /// <summary>It waits in the queue.</summary>
        Queued,

        /// <summary>It is being fetched.</summary>
        Fetched,

        /// <summary>A peer that tells ancestors is to bring it.</summary>
        Promised,

        /// <summary>It was delivered and is not merged yet.</summary>
        Here,
    }

    /// <summary>Asks for blocks; those that are asked for already, are merged, or are here and wait for that, are passed over.</summary>
    internal void Want(IReadOnlyList<(BlockId Block, PeerId? From)> blocks)
    {
        if (blocks.Count == 0)
            return;
        lock (_lock)
        {
            foreach (var (block, from) in blocks)
            {
                if (_known.TryGetValue(block, out var quest))
                    quest.From ??= from;
                else if (!IsMerged(block))
                    Enqueue(new Quest(block, from, depth: 0));
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
            _unmergedBytes -= bytes + BytesBeside;
            if (_unmergedBytes <= MaxUnmergedBytes)
                _room?.TrySetResult();
        }

        Pump();
    }

    /// <summary>Forgets what waits to be fetched, and what a peer is about to tell.</summary>
    internal void Forget()
    {
        Telling? telling;
        lock (_lock)
        {
            foreach (var quest in _queue)
                _known.Remove(quest.Block);
            _queue.Clear();
            if ((telling = _telling) is not null)
            {
                telling.IsForgotten = true;
                foreach (var quest in Unpromise(telling))
                    _known.Remove(quest.Block);
            }
        }

        telling?.Stop.Cancel();
    }

    /// <summary>Ends all fetches and waits for their end.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Forget();
        lock (_lock)
            DrainIfIdle();
        await _drained.Task;
    }

    /// <summary>Asked under the lock: a block is merged before it is settled, so it cannot slip through between the two.</summary>
    private bool IsMerged(BlockId block) => MerkleCrdt.IsMerged(_store, block);

    /// <summary>Under the lock.</summary>
    private void Enqueue(Quest quest)
    {
        if (_queue.Count >= MaxWaiting || _stop.IsCancellationRequested)
        {
            _known.Remove(quest.Block);
            return;
        }

        _known[quest.Block] = quest;
        quest.Place = Place.Queued;
        quest.Waiting = _queue.AddFirst(quest);
    }

    /// <summary>
    /// Under the lock, so that a block is delivered before those that it makes wanted, whoever brings them: they would be passed over.
    /// </summary>
    private void TakeIn(Quest quest, ReadOnlyMemory<byte> bytes)
    {
        quest.Place = Place.Here;
        _unmergedBytes += bytes.Length + BytesBeside;
        _deliver(new CrdtInput.Arrived(quest.Block, bytes, quest.From));
    }

    /// <summary>Under the lock. After the stop nothing begins any more.</summary>
    private void DrainIfIdle()
    {
        if (_active == 0 && _telling is null && _stop.IsCancellationRequested)
            _drained.TrySetResult();
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
                quest.Waiting = null;
                quest.Place = Place.Fetched;
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
            DrainIfIdle();
        }

        Pump();
    }

    private async Task FetchAsync(Quest quest)
    {
        ReadOnlyMemory<byte> bytes;
        using var timeout = new CancellationTokenSource(Turn, _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, _stop.Token);
        try
        {
            bytes = await _network.FetchAsync(quest.Block.ToCid(), quest.From, either.Token);
            if (BlockId.Of(bytes.Span) != quest.Block)
                throw new CrdtFormatException("other bytes than those of the block came");
        }
        catch (Exception e)
        {
            GiveUp(quest, timeout.IsCancellationRequested, e);
            return;
        }

        lock (_lock)
        {
            // Otherwise a peer that tells ancestors was quicker.
            if (quest.Place != Place.Fetched)
                return;
            TakeIn(quest, bytes);
        }

        ReadAhead(quest, bytes);
    }

    private void GiveUp(Quest quest, bool outOfTime, Exception reason)
    {
        lock (_lock)
        {
            if (quest.Place != Place.Fetched)
                return;
            quest.Spent += Turn;
            if (outOfTime && quest.Spent < FetchTimeout && !_stop.IsCancellationRequested)
            {
                quest.Place = Place.Queued;
                quest.Waiting = _queue.AddLast(quest);
                return;
            }

            _known.Remove(quest.Block);
        }

        if (_stop.IsCancellationRequested)
            return;
        ReplicationLog.BlockUnavailable(_logger, quest.Block.ToString(), outOfTime ? "nobody gave it in time" : reason.Message);
        _deliver(new CrdtInput.Unavailable(quest.Block));
    }

    private void ReadAhead(Quest quest, ReadOnlyMemory<byte> bytes)
    {
        Telling? telling = null;
        lock (_lock)
        {
            if (_stop.IsCancellationRequested)
                return;
            BlockId[] links = [.. LinksOf(bytes).Where(link => !_known.ContainsKey(link) && !IsMerged(link)).Distinct()];
            if (links.Length == 0)
                return;
            if (quest.Depth + 1 >= OneByOne && _telling is null && _network.ReadAncestors(links, quest.From) is { } reader)
            {
                telling = _telling = new Telling(reader);
                foreach (var link in links)
                    Promise(telling, link);
            }
            else
            {
                foreach (var link in links)
                    Enqueue(new Quest(link, quest.From, quest.Depth + 1));
            }
        }

        // Ends by itself as the fetches do.
        if (telling is not null)
            _ = Task.Run(() => RunAsync(telling));
        else
            Pump();
    }

    /// <summary>None of what is no node: that is told of where it is merged.</summary>
    private static IReadOnlyList<BlockId> LinksOf(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            return DagNode.ParseLinks(bytes.Span);
        }
        catch (CrdtFormatException)
        {
            return [];
        }
    }

    /// <summary>A block that is wanted; changed under the lock.</summary>
    /// <param name="block">Its name.</param>
    /// <param name="from">Who named it.</param>
    /// <param name="depth">How many nodes came one by one from the one that was announced to this one.</param>
    private sealed class Quest(BlockId block, PeerId? from, int depth)
    {
        internal BlockId Block { get; } = block;

        internal PeerId? From { get; set; } = from;

        internal int Depth { get; } = depth;

        internal Place Place { get; set; }

        /// <summary>Its place in the queue.</summary>
        internal LinkedListNode<Quest>? Waiting { get; set; }

        /// <summary>How long it was asked for in vain.</summary>
        internal TimeSpan Spent { get; set; }
    }
}
