using Cluster.PinState;
using Cluster.PinState.Transfer;
using Cluster.Storage;
using Microsoft.Extensions.Logging;

namespace Cluster.Service.State;

/// <summary>Another pinset, or none, in place of a peer's.</summary>
internal static class PinsetReplacement
{
    /// <summary>Replaces the pinset by the pins of an input; bad input changes nothing.</summary>
    /// <exception cref="FormatException">The input is no list of pins; the text is the original's.</exception>
    public static async Task ImportAsync(
        OfflinePeer peer, Database database, Stream input, StateImportOptions options, ILogger crdt, CancellationToken cancellationToken)
    {
        await StateImport.RunAsync(PinStore.Open(database), input, options, cancellationToken);
    }

    /// <summary>Removes all pins.</summary>
    public static void Clean(OfflinePeer peer, Database database, ILogger crdt)
    {
        if (peer.IsCrdt)
            StateLog.CleaningCrdt(crdt);
        using var replacement = PinStore.Open(database).BeginReplacement();
        replacement.Finish();
    }
}
