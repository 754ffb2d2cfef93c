using Cluster.CrdtState;
using Cluster.PinState;
using Cluster.PinState.Transfer;
using Cluster.Storage;
using Microsoft.Extensions.Logging;

namespace Cluster.Service.State;

/// <summary>Another pinset, or none, in place of a peer's: with crdt the DAG it follows from goes with it.</summary>
internal static class PinsetReplacement
{
    /// <summary>Replaces the pinset by the pins of an input; bad input changes nothing.</summary>
    /// <exception cref="FormatException">The input is no list of pins; the text is the original's.</exception>
    public static async Task ImportAsync(OfflinePeer peer, Database database, Stream input, StateImportOptions options, CancellationToken cancellationToken)
    {
        var store = PinStore.Open(database);
        if (!peer.IsCrdt)
        {
            await StateImport.RunAsync(store, input, options, cancellationToken);
            return;
        }

        await ReplicatedState.ImportAsync(store, input, options, cancellationToken);
    }

    /// <summary>Removes all pins.</summary>
    public static void Clean(OfflinePeer peer, Database database, ILogger crdt)
    {
        var store = PinStore.Open(database);
        if (!peer.IsCrdt)
        {
            using var replacement = store.BeginReplacement();
            replacement.Finish();
            return;
        }

        StateLog.CleaningCrdt(crdt);
        ReplicatedState.Clean(store);
    }
}
