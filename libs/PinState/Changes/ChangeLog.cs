using System.Buffers.Binary;
using Cluster.PinState.Keys;
using Cluster.Storage;

namespace Cluster.PinState.Changes;

/// <summary>The change log on disk: puts refer to the pin, removals carry it; both are merged by number.</summary>
internal static class ChangeLog
{
    internal static bool TryRead(PinStore store, ulong after, int maxChanges, int maxBytes, List<StateChange> into)
    {
        using var snapshot = store.CreateSnapshot();
        var totals = snapshot.Totals;
        if (after > totals.Sequence || after < totals.Forgotten)
            return false;

        var key = new KeyBuilder();
        var puts = new KeyBuilder().Begin(totals.Generation, StateKeys.Puts).AddNumber(after + 1).Span.ToArray();
        var removals = new KeyBuilder().Begin(totals.Generation, StateKeys.Removals).AddNumber(after + 1).Span.ToArray();
        using var putCursor = store.Database.CreateCursor(
            CursorRange.Between(puts, KeyRange.EndOfPrefix(puts.AsSpan(0, 2))), snapshot.Native);
        using var removalCursor = store.Database.CreateCursor(
            CursorRange.Between(removals, KeyRange.EndOfPrefix(removals.AsSpan(0, 2))), snapshot.Native);

        var havePut = putCursor.MoveNext();
        var haveRemoval = removalCursor.MoveNext();
        var bytes = 0;
        while ((havePut || haveRemoval) && into.Count < maxChanges && bytes < maxBytes)
        {
            var put = havePut ? SequenceOf(putCursor) : ulong.MaxValue;
            var removal = haveRemoval ? SequenceOf(removalCursor) : ulong.MaxValue;
            if (put < removal)
            {
                using var value = store.Database.Get(
                    key.Begin(totals.Generation, StateKeys.Pins).Add(putCursor.Value).Span, snapshot.Native);
                var record = value.Span[8..].ToArray();
                into.Add(new StateChange(put, ChangeKind.Put, record));
                bytes += record.Length;
                havePut = putCursor.MoveNext();
            }
            else
            {
                var record = removalCursor.Value.ToArray();
                into.Add(new StateChange(removal, ChangeKind.Removed, record));
                bytes += record.Length;
                haveRemoval = removalCursor.MoveNext();
            }
        }

        return true;
    }

    private static ulong SequenceOf(Cursor cursor) => BinaryPrimitives.ReadUInt64BigEndian(cursor.Key[2..]);
}
