using Cluster.Consensus.Replication;
using Cluster.CrdtState;
using Cluster.PinState;
using Cluster.Storage;
using Crdt;
using Ipld;
using Libp2p;
using Microsoft.Extensions.Logging;

namespace Cluster.Consensus.CrdtReplication;

/// <summary>
/// Writes to the replicated set: operations of this peer and what the network brought, each time all that waits in one transaction with
/// the pinset that follows from it. Everything happens on the thread that commits, unless something else is said.
/// </summary>
internal sealed partial class CrdtWriter : IGroupWriter
{
    /// <summary>Bytes of fetched blocks in one transaction, about: some thousand pins. A pin of this peer waits for one such write at most.</summary>
    private const int BytesPerWrite = 1 << 20;

    private readonly PinStore _store;
    private readonly CrdtInbox _inbox;
    private readonly ILogger _logger;
    private readonly CrdtReader _reader;
    private readonly PinProjection _projection = new();
    private readonly Queue<CrdtInput> _suspects = new(); // of a write that failed: each goes alone now
    private readonly List<(Cid Cid, bool Pinned)> _applied = [];
    private readonly List<BlockId> _announce = [];
    private readonly List<BlockId> _stored = []; // of others, since the last answer
    private readonly List<(BlockId Block, PeerId? From)> _wanted = [];
    private MerkleCrdt _core;
    private bool _stale; // the core's memory is not what the store says: it is opened anew before it is used again
    private volatile byte[] _heads = [];
    private volatile CrdtLinks? _links;

    internal CrdtWriter(PinStore store, CrdtInbox inbox, ILogger logger)
    {
        _store = store;
        _inbox = inbox;
        _logger = logger;
        _reader = new CrdtReader(store);
        _core = MerkleCrdt.Open(_reader);
        TakeOver();
        _heads = HeadsMessage.Encode(_core.Announceable);
    }

    public ulong Sequence => _store.Totals.Sequence;

    /// <summary>The committed heads as a broadcast; empty without heads. For any thread.</summary>
    internal ReadOnlyMemory<byte> Heads => _heads;

    /// <summary>Whether blocks are known to be missing. Before the thread that commits starts.</summary>
    internal bool NeedsRepair => _core.IsDirty || _core.Missing.Count > 0;

    /// <summary>From now on blocks are fetched and heads announced. For any thread, once.</summary>
    internal void Connect(CrdtLinks links) => _links = links;

    public ulong Write(IReadOnlyList<CommitRequest> requests)
    {
        Reopen();
        var inputs = NextInputs(requests);
        if (inputs is [CrdtInput.Replace replace])
        {
            Replace(replace);
            inputs = [];
        }

        var output = new CrdtOutput();
        ulong sequence;
        try
        {
            sequence = WriteAsOne(inputs, requests, output);
        }
        catch (Exception e)
        {
            Recover(inputs, alone: requests.Count == 0, e);
            if (requests.Count == 0 || inputs.Count == 0 || e is StorageException)
                throw;

            // The fault may lie in what the network brought: no reason to fail those who ask here.
            inputs = [];
            output = new CrdtOutput();
            try
            {
                Reopen();
                sequence = WriteAsOne(inputs, requests, output);
            }
            catch (Exception second)
            {
                Recover(inputs, alone: false, second);
                throw;
            }
        }

        Written(inputs, output);
        return sequence;
    }

    public void Answered()
    {
        if (_announce.Count > 0)
            Announce();
        if (_stored.Count > 0)
            TellStored();
        if (_logger.IsEnabled(LogLevel.Information))
        {
            foreach (var (cid, pinned) in _applied)
            {
                if (pinned)
                    ReplicationLog.PinAdded(_logger, cid);
                else
                    ReplicationLog.PinRemoved(_logger, cid);
            }
        }

        _applied.Clear();
    }

    /// <summary>What follows a write that went well.</summary>
    private void Written(List<CrdtInput> inputs, CrdtOutput output)
    {
        foreach (var input in inputs)
            Settle(input);
        _heads = HeadsMessage.Encode(_core.Announceable);
        _announce.AddRange(output.Broadcast.Where(_core.Announceable.Contains));
        Fetch(output.Merged);
        if (inputs.Count > 0)
            _stored.AddRange(output.Merged);
    }

    /// <summary>Asks for what is missing. What was written is durable, and is answered so also when this fails.</summary>
    private void Fetch(List<BlockId> merged)
    {
        if (_wanted.Count == 0)
            return;
        try
        {
            // Of a long chain nearly all that was missed came in the same write.
            var here = merged.ToHashSet();
            _wanted.RemoveAll(wanted => here.Contains(wanted.Block));
            _links?.Fetcher.Want(_wanted);
        }
        catch (Exception e)
        {
            // It stays known to be missing, and is asked for again with the next broadcast.
            ReplicationLog.FetchFailed(_logger, e.Message);
        }

        _wanted.Clear();
    }

    private List<CrdtInput> NextInputs(IReadOnlyList<CommitRequest> requests)
    {
        bool more;
        List<CrdtInput> inputs;
        if (_suspects.Count == 0)
        {
            inputs = _inbox.Take(BytesPerWrite, out more);
        }
        else
        {
            // Never together with a request, which would fail for its sake.
            if (requests.Count > 0)
                WriteSuspect();
            inputs = requests.Count > 0 ? [] : [_suspects.Dequeue()];
            more = true;
        }

        if (more)
            _inbox.Ring();
        return inputs;
    }

    private ulong WriteAsOne(List<CrdtInput> inputs, IReadOnlyList<CommitRequest> requests, CrdtOutput output)
    {
        var wasDirty = _core.IsDirty;
        using var transaction = _store.Begin();
        var set = new CrdtTransaction(_store.Database, transaction.Batch, transaction.CompanionKeys);
        foreach (var input in inputs)
            Apply(input, set, output);
        var nodes = new NodeWriter(_core, set, output);
        foreach (var request in requests)
        {
            for (var i = 0; i < request.Operations.Count; i++)
            {
                var key = PinKey.Of(request.Operations[i].Cid);
                if (request.Operations[i].Kind == OperationKind.Pin)
                    nodes.Put(key, request.Values![i]);
                else
                    nodes.Remove(key);
            }
        }

        nodes.Flush();
        _projection.Add(output.Changes);
        _projection.ApplyTo(transaction, (key, error) => ReplicationLog.UnreadableEntry(_logger, key, error), _applied);

        // What the tracker will act on must be durable as well: it remembers how far it has come.
        var sequence = transaction.Batch.Count == 0
            ? transaction.Sequence
            : transaction.Commit(output.Merged.Count > 0 ? Durability.Synced : Durability.Buffered);
        if (wasDirty && !_core.IsDirty)
            ReplicationLog.MarkedClean(_logger);
        return sequence;
    }

    private void Apply(CrdtInput input, CrdtTransaction set, CrdtOutput output)
    {
        var wanted = output.Fetches.Count;
        PeerId? from = null;
        switch (input)
        {
            case CrdtInput.Announcement announcement:
                from = announcement.Author;
                TakeAnnouncement(announcement, set, output);
                break;
            case CrdtInput.Arrived arrived:
                from = arrived.From;
                try
                {
                    _core.BlockArrived(set, arrived.Block, arrived.Bytes, output);
                }
                catch (CrdtFormatException e) when (!IsNode(arrived.Bytes))
                {
                    // It has the right name and is no node all the same: its author's fault. The walk goes on without it.
                    ReplicationLog.BadBlock(_logger, arrived.Block.ToString(), e.Message);
                    MarkUnavailable(set, arrived.Block);
                }

                break;
            case CrdtInput.Unavailable unavailable:
                MarkUnavailable(set, unavailable.Block);
                break;
            case CrdtInput.Rebroadcast:
                _core.Rebroadcast(output);
                _core.RetryMissing(output);
                break;
            case CrdtInput.Repair:
                Repair(set, output);
                break;
        }

        for (var i = wanted; i < output.Fetches.Count; i++)
            _wanted.Add((output.Fetches[i], from));
    }

    private void MarkUnavailable(CrdtTransaction set, BlockId block)
    {
        var wasDirty = _core.IsDirty;
        _core.BlockUnavailable(set, block);
        if (!wasDirty && _core.IsDirty)
            ReplicationLog.MarkedDirty(_logger, block.ToString());
    }

    private static bool IsNode(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            DagNode.Parse(bytes);
            return true;
        }
        catch (CrdtFormatException)
        {
            return false;
        }
    }

    private void TakeAnnouncement(CrdtInput.Announcement announcement, CrdtTransaction set, CrdtOutput output)
    {
        try
        {
            _core.HeadsReceived(set, HeadsMessage.Parse(announcement.Message.Span), output);
        }
        catch (CrdtFormatException e)
        {
            ReplicationLog.BadAnnouncement(_logger, announcement.Author.ToString(), e.Message);
        }
    }

    private void Repair(CrdtTransaction set, CrdtOutput output)
    {
        if (_core.Missing.Count > 0)
        {
            ReplicationLog.Repairing(_logger, _core.Missing.Count);
            _core.RetryMissing(output);
            return;
        }

        if (_core.IsDirty)
            _core.MarkClean(set);
        ReplicationLog.StoreIsClean(_logger);
    }

    private void Announce()
    {
        BlockId[] heads = [.. _announce.Distinct()];
        _announce.Clear();
        try
        {
            _links?.Network.Announce(HeadsMessage.Encode(heads));
        }
        catch (Exception e)
        {
            ReplicationLog.AnnounceFailed(_logger, e.Message);
        }

        try
        {
            // Our own publications count as received (spec/crdt.md 8).
            _core.HeadsReceived(_reader, heads, new CrdtOutput());
        }
        catch (Exception e)
        {
            // What was written is written and answered; nobody is left to be told but the log.
            ReplicationLog.AnnounceFailed(_logger, e.Message);
            _stale = true;
        }
    }

    private void TellStored()
    {
        try
        {
            _links?.Network.Stored([.. _stored]);
        }
        catch (Exception e)
        {
            // Who waits asks again.
            ReplicationLog.AnnounceFailed(_logger, e.Message);
        }

        _stored.Clear();
    }

    private void Replace(CrdtInput.Replace replace)
    {
        // Opened anew after the answer, which must come also when the store cannot be read.
        _stale = true;
        try
        {
            var count = replace.Replacement.Finish();
            _links?.Fetcher.Forget();
            replace.Done.SetResult(count);
        }
        catch (Exception e)
        {
            replace.Done.SetException(e);
            Reopen();
            return;
        }

        Reopen();
        _announce.AddRange(_core.Announceable);
    }

    private void Settle(CrdtInput input)
    {
        if (input is CrdtInput.Arrived arrived)
            _links?.Fetcher.Settled(arrived.Block, arrived.Bytes.Length);
    }

    /// <summary>A pinset without a DAG was written when this peer was alone: its pins become the first nodes.</summary>
    private void TakeOver()
    {
        if (_core.Heads.Count > 0 || _core.Missing.Count > 0 || _store.Totals.Count == 0)
            return;
        using (var snapshot = _store.CreateSnapshot())
        using (var pins = snapshot.List())
        using (var replacement = new CrdtReplacement(_store, (key, error) => ReplicationLog.UnreadableEntry(_logger, key, error)))
        {
            while (pins.MoveNext())
                replacement.Add(pins.Current);
            ReplicationLog.TakenOver(_logger, replacement.Finish());
        }

        _stale = true;
        Reopen();
    }
}

/// <summary>What connects the set with other peers.</summary>
internal sealed record CrdtLinks(ICrdtNetwork Network, BlockFetcher Fetcher);
