namespace Cluster.Consensus.CrdtReplication;

/// <summary>
/// Inputs that wait for the thread that commits, in order of arrival. Announcements are bounded: the oldest goes, as a later one of the
/// same author covers it and all are repeated. Blocks are bounded by the one who fetches them.
/// </summary>
/// <param name="ring">Wakes the thread that commits.</param>
internal sealed class CrdtInbox(Action ring)
{
    /// <summary>Announcements that may wait.</summary>
    internal const int MaxAnnouncements = 1024;

    private readonly Lock _lock = new();
    private readonly LinkedList<CrdtInput> _waiting = new();
    private readonly Queue<LinkedListNode<CrdtInput>> _announcements = new();
    private bool _closed;

    /// <summary>Adds an input; false when an announcement had to go for it.</summary>
    internal bool Add(CrdtInput input)
    {
        lock (_lock)
        {
            if (_closed)
            {
                Refuse(input);
                return true;
            }

            var node = _waiting.AddLast(input);
            if (input is not CrdtInput.Announcement)
                return true;
            _announcements.Enqueue(node);
            if (_announcements.Count <= MaxAnnouncements)
                return true;
            _waiting.Remove(_announcements.Dequeue());
            return false;
        }
    }

    /// <summary>Wakes the thread that commits.</summary>
    internal void Ring() => ring();

    /// <summary>Takes inputs of about so many bytes; a replacement comes alone.</summary>
    internal List<CrdtInput> Take(int bytes, out bool more)
    {
        var taken = new List<CrdtInput>();
        lock (_lock)
        {
            while (bytes > 0 && _waiting.First is { } first)
            {
                var replaces = first.Value is CrdtInput.Replace;
                if (replaces && taken.Count > 0)
                    break;
                _waiting.RemoveFirst();
                if (first.Value is CrdtInput.Announcement)
                    _announcements.Dequeue();
                taken.Add(first.Value);
                bytes -= first.Value.Size;
                if (replaces)
                    break;
            }

            more = _waiting.Count > 0;
        }

        return taken;
    }

    /// <summary>Forgets what waits; who waits for an answer is told that the peer stops.</summary>
    internal void Close()
    {
        lock (_lock)
        {
            _closed = true;
            foreach (var input in _waiting)
                Refuse(input);
            _waiting.Clear();
            _announcements.Clear();
        }
    }

    private static void Refuse(CrdtInput input)
    {
        if (input is CrdtInput.Replace replace)
            replace.Done.TrySetException(new ClusterException(ClusterErrorKind.Unavailable, "shutting down. The state was not replaced"));
    }
}
