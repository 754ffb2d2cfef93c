using Cluster.Consensus.Replication;
using Cluster.Storage;
using Crdt;

namespace Cluster.Consensus.CrdtReplication;

/// <content>What becomes of a write that failed: nothing that was answered is lost, and no input keeps others from their turn.</content>
internal sealed partial class CrdtWriter
{
    /// <summary>
    /// Writes one input of a write that failed, before those who ask here: they must neither fail for its sake, nor keep it from its turn
    /// for as long as somebody asks.
    /// </summary>
    private void WriteSuspect()
    {
        List<CrdtInput> inputs = [_suspects.Dequeue()];
        var output = new CrdtOutput();
        try
        {
            WriteAsOne(inputs, [], output);
        }
        catch (Exception e)
        {
            Recover(inputs, alone: true, e);
            Reopen();
            return;
        }

        Written(inputs, output);
    }

    /// <summary>The core's memory is ahead of the store, and one of the inputs may be the reason.</summary>
    private void Recover(List<CrdtInput> inputs, bool alone, Exception e)
    {
        ReplicationLog.WriteFailed(_logger, e.Message);
        _stale = true;
        _applied.Clear();
        _wanted.Clear();
        _projection.Clear();
        if (e is StorageException || (alone && inputs.Count <= 1))
        {
            // Lost inputs come again: blocks are asked for, announcements repeated.
            foreach (var input in inputs)
            {
                if (input is CrdtInput.Arrived arrived && e is not StorageException)
                    ReplicationLog.BadBlock(_logger, arrived.Block.ToString(), e.Message);
                Settle(input);
            }
        }
        else
        {
            foreach (var input in inputs)
                _suspects.Enqueue(input);
        }

        _inbox.Ring();
    }

    /// <summary>
    /// Opens the core anew if its memory has run ahead of the store. When that fails the write fails before it has taken anything, and the
    /// next one tries again: with a core that knows of nodes that were never written, it would write links that lead nowhere.
    /// </summary>
    private void Reopen()
    {
        if (!_stale)
            return;
        try
        {
            _core = MerkleCrdt.Open(_reader);
            _stale = false;
        }
        catch (Exception e)
        {
            ReplicationLog.WriteFailed(_logger, e.Message);
            throw;
        }
    }
}
