using Cluster.PinState;
using Cluster.PinState.Transfer;

namespace Cluster.CrdtState;

/// <summary>
/// The state of a peer with consensus <c>crdt</c> as the offline tools see it (spec/crdt.md 12, "State tools"): the pinset together
/// with the DAG that it follows from. The peer itself must not run; <c>StateExport</c> exports it, as it reads the pinset alone.
/// </summary>
public static class ReplicatedState
{
    /// <summary>
    /// Replaces the pinset by an exported one, with a new DAG of this peer. The whole input is read and checked before anything
    /// changes, and a crash at any moment leaves the old state or the new one.
    /// </summary>
    /// <param name="store">The opened state.</param>
    /// <param name="input">Lines of an export.</param>
    /// <param name="options">What is changed of every pin.</param>
    /// <param name="cancellationToken">Ends it; then nothing has changed.</param>
    /// <returns>Pins in the state; of entries with the same CID the last one counts.</returns>
    /// <exception cref="FormatException">The input is no list of pins; the text is the original's (Go's JSON).</exception>
    /// <exception cref="InvalidOperationException">Another import is under way.</exception>
    public static async Task<ulong> ImportAsync(PinStore store, Stream input, StateImportOptions options, CancellationToken cancellationToken)
    {
        using var replacement = new CrdtReplacement(store);
        await ReadAsync(replacement, input, options, cancellationToken);
        return replacement.Finish();
    }

    /// <summary>Removes the pinset and the DAG: with the next start the peer fetches everything anew. Durable on return.</summary>
    /// <exception cref="InvalidOperationException">An import is under way.</exception>
    public static void Clean(PinStore store)
    {
        using var replacement = new CrdtReplacement(store);
        replacement.Finish();
    }

    /// <summary>Reads an export into a replacement.</summary>
    /// <exception cref="FormatException">The input is no list of pins.</exception>
    public static async Task ReadAsync(
        CrdtReplacement replacement, Stream input, StateImportOptions options, CancellationToken cancellationToken)
    {
        await foreach (var pin in StateImport.ReadAsync(input, options, cancellationToken))
            replacement.Add(pin);
    }
}
