using Cluster.CrdtState;
using Cluster.Model;
using Cluster.PinState;
using Cluster.Storage;
using Crdt;

namespace Cluster.Consensus.Tests.CrdtReplication;

/// <summary>Histories of one pin a node, as a peer makes them that is asked for one pin at a time, written at once.</summary>
internal static class Chain
{
    /// <summary>Adds nodes, each upon the one before, to a state that nobody else writes.</summary>
    public static void Write(PinStore state, int first, int count)
    {
        using var transaction = state.Begin();
        var set = new CrdtTransaction(state.Database, transaction.Batch, transaction.CompanionKeys);
        var core = MerkleCrdt.Open(set);
        var projection = new PinProjection();
        for (var i = first; i < first + count; i++)
        {
            var output = new CrdtOutput();
            var node = new NodeWriter(core, set, output);
            var pin = CrdtPeer.Pin(i);
            node.Put(PinKey.Of(pin.Cid), PinProtobuf.ToBytes(pin));
            node.Flush();
            projection.Add(output.Changes);
        }

        projection.ApplyTo(transaction, (key, error) => Assert.Fail($"{key}: {error}"));
        transaction.Commit(Durability.Buffered);
    }
}
