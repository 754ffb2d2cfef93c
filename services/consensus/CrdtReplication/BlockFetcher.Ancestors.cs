using Cluster.Consensus.Replication;
using Crdt;

namespace Cluster.Consensus.CrdtReplication;

/// <content>Takes the ancestors that a peer tells in one stream. What it does not bring is fetched.</content>
internal sealed partial class BlockFetcher
{
    /// <summary>Nodes of a chain that are fetched one by one before a peer is asked for all the rest: in good times a chain is no longer.</summary>
    internal const int OneByOne = 4;

    /// <summary>So many nodes in a row that are here already, and the peer has told enough.</summary>
    internal const int MostOldInARow = 32;

    /// <summary>Blocks that a peer may be expected to bring at a time: many more than a well-made DAG is wide.</summary>
    private const int MaxPromised = 1 << 16;

    private const string AllItHas = "all it has";

    private Telling? _telling; // one at a time: what two peers told would overlap
    private TaskCompletionSource? _room;

    private async Task RunAsync(Telling telling)
    {
        var (blocks, end) = (0, "the rest is here");
        try
        {
            await using (telling)
            {
                for (var old = 0; old < MostOldInARow; blocks++)
                {
                    await RoomAsync(telling.Stop.Token);
                    if (await telling.Reader.NextAsync(telling.Stop.Token) is not { } bytes)
                    {
                        end = AllItHas;
                        break;
                    }

                    old = Take(telling, bytes) ? 0 : old + 1;
                }
            }
        }
        catch (Exception e)
        {
            end = e.Message;
        }

        ReplicationLog.AncestorsTold(_logger, telling.Reader.Peer.ToString(), blocks, end);
        lock (_lock)
        {
            var promised = Unpromise(telling);
            if (promised.Count > 0 && end is AllItHas)
                telling.Reader.Avoid();
            foreach (var quest in promised)
                Enqueue(quest);
            _telling = null;
            DrainIfIdle();
        }

        Pump();
    }

    /// <summary>Waits until there is room for more; the peer waits meanwhile.</summary>
    private Task RoomAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_unmergedBytes <= MaxUnmergedBytes)
                return Task.CompletedTask;
            if (_room is null or { Task.IsCompleted: true })
                _room = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Takes a node and expects those that it links to; false when it is here already.</summary>
    /// <exception cref="CrdtFormatException">It was not expected, or too much is.</exception>
    private bool Take(Telling telling, ReadOnlyMemory<byte> bytes)
    {
        var block = BlockId.Of(bytes.Span);
        var links = LinksOf(bytes);
        lock (_lock)
        {
            if (telling.IsForgotten)
                throw new OperationCanceledException();
            if (!telling.Expected.Remove(block))
            {
                telling.Reader.Avoid();
                throw new CrdtFormatException($"block {block} is no ancestor of what was asked for, or came twice");
            }

            if (telling.Expected.Count + links.Count > MaxPromised)
                throw new CrdtFormatException($"more than {MaxPromised} blocks are expected");
            var isNew = TakeIfNew(telling, block, bytes);
            foreach (var link in links)
                Promise(telling, link);
            return isNew;
        }
    }

    /// <summary>Under the lock.</summary>
    private bool TakeIfNew(Telling telling, BlockId block, ReadOnlyMemory<byte> bytes)
    {
        if (!_known.TryGetValue(block, out var quest))
        {
            if (IsMerged(block))
                return false;
            _known.Add(block, quest = new Quest(block, telling.Reader.Peer, depth: 0));
        }

        if (quest.Place == Place.Here)
            return false;
        if (quest.Waiting is { } waiting)
        {
            _queue.Remove(waiting);
            quest.Waiting = null;
        }

        TakeIn(quest, bytes);
        return true;
    }

    /// <summary>Under the lock: expects a block of a peer, and asks nobody else for it unless that has been done.</summary>
    private void Promise(Telling telling, BlockId block)
    {
        if (telling.Expected.Add(block) && !_known.ContainsKey(block) && !IsMerged(block))
            _known.Add(block, new Quest(block, telling.Reader.Peer, depth: 0) { Place = Place.Promised });
    }

    /// <summary>Under the lock: expects nothing of a peer any more. Gives what it alone was to bring; this is still known.</summary>
    private List<Quest> Unpromise(Telling telling)
    {
        var promised = new List<Quest>();
        foreach (var block in telling.Expected)
        {
            if (_known.TryGetValue(block, out var quest) && quest.Place == Place.Promised)
                promised.Add(quest);
        }

        telling.Expected.Clear();
        return promised;
    }

    /// <summary>A peer that tells ancestors.</summary>
    private sealed class Telling(IAncestorReader reader) : IAsyncDisposable
    {
        internal IAncestorReader Reader { get; } = reader;

        /// <summary>What it may send: links of what it has sent, whether they are here or not.</summary>
        internal HashSet<BlockId> Expected { get; } = [];

        internal CancellationTokenSource Stop { get; } = new();

        /// <summary>What it sends is not wanted any more.</summary>
        internal bool IsForgotten { get; set; }

        public ValueTask DisposeAsync() => Reader.DisposeAsync();
    }
}
