using Cluster.Storage;
using Cluster.Tracker.Core;
using Ipld;

namespace Cluster.Tracker.Index;

public sealed partial class PinIndex
{
    /// <inheritdoc/>
    public IReadOnlyList<TrackedPin> DueForRetry(DateTimeOffset now, int limit)
    {
        if (_nextRetry is null || _nextRetry > now)
            return [];
        Commit();
        var due = new List<TrackedPin>();
        using (var cursor = _database.CreateCursor(CursorRange.Prefix(IndexKeys.Retries)))
        {
            while (due.Count < limit && cursor.MoveNext() && IndexKeys.RetryTime(cursor.Key) <= now)
            {
                var cid = Cid.FromBytes(cursor.Key[IndexKeys.RetryHead..]);
                if (TryGetCommitted(cid, out var pin))
                    due.Add(pin);
            }

            // Those that are due are looked at once more, should the caller have left them.
            _nextRetry = due.Count > 0 ? due[0].RetryAt : cursor.IsValid ? IndexKeys.RetryTime(cursor.Key) : null;
        }

        return due;
    }

    /// <inheritdoc/>
    public IReadOnlyList<TrackedPin> Page(Cid? after, int limit)
    {
        Commit();
        using var reader = new PinReader(_database, null, after);
        return ReadPage(reader, limit);
    }

    /// <inheritdoc/>
    public IReadOnlyList<TrackedPin> Page(PinState state, Cid? after, int limit)
    {
        if (Count(state) == 0)
            return [];
        Commit();
        using var reader = new PinReader(_database, [state], after);
        return ReadPage(reader, limit);
    }

    /// <summary>
    /// Reads the rows of some states (null: of all) in the order of their CIDs, as they are committed now. For any thread, but only
    /// one; the reader must be disposed before the index.
    /// </summary>
    public PinReader Read(IReadOnlyCollection<PinState>? states)
    {
        if (states is not null)
        {
            // Picking rows by a list of CIDs costs about twice as much a row as walking over all of them.
            var wanted = states.Sum(Count);
            if (wanted * 2 > Total)
                return new PinReader(_database, null, null, states);
        }

        return new PinReader(_database, states, null);
    }

    private static List<TrackedPin> ReadPage(PinReader reader, int limit)
    {
        var page = new List<TrackedPin>();
        while (page.Count < limit && reader.MoveNext())
            page.Add(reader.Current);
        return page;
    }

    private DateTimeOffset? FirstRetry()
    {
        using var cursor = _database.CreateCursor(CursorRange.Prefix(IndexKeys.Retries));
        return cursor.MoveNext() ? IndexKeys.RetryTime(cursor.Key) : null;
    }
}
