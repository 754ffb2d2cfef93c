using System.Runtime.InteropServices;
using Cluster.Model;
using Cluster.PinState;
using Cluster.PinState.Records;
using Crdt;
using Ipld;

namespace Cluster.CrdtState;

/// <summary>Told of an entry of the set that is no pin: its author's fault, or his newer version.</summary>
/// <param name="key">Its key.</param>
/// <param name="error">What is wrong with it.</param>
public delegate void UnreadableEntry(string key, string error);

/// <summary>
/// What changes of the replicated set mean for the pinset. Of several changes of one key in a transaction the last one counts. The
/// pinset follows from the set alone: an entry that is no pin has none, also where a readable one was before, so that all replicas agree.
/// </summary>
public sealed class PinProjection
{
    private readonly Dictionary<string, Outcome> _outcomes = new(StringComparer.Ordinal);

    /// <summary>Takes changes in, in order.</summary>
    public void Add(IReadOnlyList<KeyChange> changes)
    {
        for (var i = 0; i < changes.Count; i++)
        {
            var change = changes[i];
            ref var outcome = ref CollectionsMarshal.GetValueRefOrAddDefault(_outcomes, change.Key, out _);
            // A removal that a survivor follows tells nothing new, unless something else happened before.
            outcome = new Outcome(change.Value, outcome.IsNews || (change.Value is not null && !change.Restored));
        }
    }

    /// <summary>Puts the outcome into a transaction, and forgets it.</summary>
    /// <param name="transaction">The pinset's transaction, the one in which the set was changed.</param>
    /// <param name="unreadable">Told of entries that are no pins.</param>
    /// <param name="applied">Told of what was done, in order: a CID and whether it is pinned now; null when nobody asks.</param>
    public void ApplyTo(PinTransaction transaction, UnreadableEntry unreadable, ICollection<(Cid Cid, bool Pinned)>? applied = null)
    {
        foreach (var (key, outcome) in _outcomes)
        {
            Cid cid;
            if (outcome.Value is { } value)
            {
                if (PinKey.TryRead(key, value.Span, out cid, out var pin, out var error))
                {
                    // What survived a removal may be what was there anyway.
                    if (!outcome.IsNews && transaction.Find(cid) is { } present && PinRecord.ToBytes(present).AsSpan().SequenceEqual(PinRecord.ToBytes(pin!)))
                        continue;
                    transaction.Put(pin!);
                    applied?.Add((cid, true));
                    continue;
                }

                unreadable(key, error);
                if (!cid.IsDefined)
                    continue;
            }
            else if (!PinKey.TryParse(key, out cid))
            {
                continue;
            }

            if (transaction.Remove(cid))
                applied?.Add((cid, false));
        }

        _outcomes.Clear();
    }

    /// <summary>Puts the outcome into a state that is made anew, and forgets it.</summary>
    public void ApplyTo(PinReplacement replacement, UnreadableEntry unreadable)
    {
        foreach (var (key, outcome) in _outcomes)
        {
            if (outcome.Value is not { } value)
                continue;
            if (PinKey.TryRead(key, value.Span, out _, out var pin, out var error))
                replacement.Add(pin!);
            else
                unreadable(key, error);
        }

        _outcomes.Clear();
    }

    /// <summary>Forgets what was taken in: its transaction failed.</summary>
    public void Clear() => _outcomes.Clear();

    private readonly record struct Outcome(ReadOnlyMemory<byte>? Value, bool IsNews);
}
