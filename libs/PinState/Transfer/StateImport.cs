using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Unicode;
using Cluster.Model;
using Libp2p;

namespace Cluster.PinState.Transfer;

/// <summary>What an import changes of every pin it reads (spec/service-cli.md 2.4).</summary>
public sealed record StateImportOptions
{
    /// <summary>Above 0: the minimal replication factor of every pin.</summary>
    public int ReplicationMinimum { get; init; }

    /// <summary>Above 0: the maximal replication factor of every pin.</summary>
    public int ReplicationMaximum { get; init; }

    /// <summary>Not empty: the allocations of every pin.</summary>
    public IReadOnlyList<PeerId> Allocations { get; init; } = [];

    /// <summary>Bytes of one entry at most.</summary>
    public int MaxEntryBytes { get; init; } = 16 << 20;

    internal Pin Apply(Pin pin)
    {
        if (ReplicationMinimum > 0)
            pin = pin with { Options = pin.Options with { Replication = pin.Options.Replication with { Minimum = ReplicationMinimum } } };
        if (ReplicationMaximum > 0)
            pin = pin with { Options = pin.Options with { Replication = pin.Options.Replication with { Maximum = ReplicationMaximum } } };
        return Allocations.Count > 0 ? pin with { Allocations = Allocations } : pin;
    }
}

/// <summary>
/// Reads the lines of a <c>state export</c> and replaces the pinset by them. Anything wrong in the input leaves the pinset as it was
/// (the original has emptied it by then).
/// </summary>
public static class StateImport
{
    /// <summary>Replaces the pinset of a store. Gives the number of pins.</summary>
    /// <exception cref="FormatException">The input is no list of pins; the text is the original's (Go's JSON).</exception>
    /// <exception cref="InvalidOperationException">Another import is under way.</exception>
    public static async Task<ulong> RunAsync(PinStore store, Stream input, StateImportOptions options, CancellationToken cancellationToken)
    {
        using var replacement = store.BeginReplacement();
        await foreach (var pin in ReadAsync(input, options, cancellationToken))
            replacement.Add(pin);
        replacement.Finish();
        return replacement.Count;
    }

    /// <summary>Reads the pins of an export, as the options change them. Entries without a CID are passed over.</summary>
    /// <exception cref="FormatException">The input is no list of pins; the text is the original's (Go's JSON).</exception>
    public static async IAsyncEnumerable<Pin> ReadAsync(
        Stream input, StateImportOptions options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var splitter = new JsonSplitter(input, options.MaxEntryBytes);
        while (await splitter.NextAsync(cancellationToken) is { } json)
        {
            var pin = options.Apply(Read(json));
            if (pin.Cid.IsDefined)
                yield return pin;
        }
    }

    private static Pin Read(ReadOnlyMemory<byte> json)
    {
        if (json.Span.SequenceEqual("null"u8))
            return new Pin();

        // As in Go, bytes that are no UTF-8 become replacement characters.
        if (!Utf8.IsValid(json.Span))
            json = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(json.Span));
        return ModelJsonReader.ReadPin(json);
    }
}
