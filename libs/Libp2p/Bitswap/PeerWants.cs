using Ipld;

namespace Libp2p.Bitswap;

/// <summary>What one peer wants of us, and the answers to that. Wants whose block is missing are kept until it comes.</summary>
internal sealed class PeerWants(BitswapOptions options)
{
    // Wants that wait for their first answer, at most: bounds what one message can cost.
    private const int MaxUnanswered = 8192;

    private readonly Lock gate = new();
    private readonly Dictionary<Cid, Want> wants = [];
    private readonly PriorityQueue<Want, (int Priority, long Order)> due = new();
    private int missing;
    private long order;

    private sealed class Want(WantlistEntry entry)
    {
        public WantlistEntry Entry => entry;

        public bool Missing { get; set; }

        public bool CameMeanwhile { get; set; }

        public bool Dropped { get; set; }
    }

    /// <summary>Wants that are remembered.</summary>
    public int Count
    {
        get
        {
            lock (gate) return wants.Count;
        }
    }

    /// <summary>Takes the wantlist of a message.</summary>
    /// <returns>False when some wants were too many.</returns>
    public bool Receive(BitswapMessage message)
    {
        bool all = true;
        lock (gate)
        {
            if (message.Full)
            {
                foreach (var cid in wants.Keys.ToArray()) Forget(cid);
            }
            foreach (var entry in message.Wantlist)
            {
                if (entry.Cid.Bytes.Length > options.MaxCidLength || entry.Cid.Multihash.Code == MultihashCode.Identity) continue;
                Forget(entry.Cid);
                if (entry.Cancel) continue;
                if (wants.Count - missing >= MaxUnanswered)
                {
                    all = false;
                    continue;
                }
                var want = new Want(entry);
                wants.Add(entry.Cid, want);
                Enqueue(want);
            }
        }
        return all;
    }

    /// <summary>A block came; true if it is wanted.</summary>
    public bool Arrived(Cid cid)
    {
        lock (gate)
        {
            if (!wants.TryGetValue(cid, out var want)) return false;
            if (want.Missing)
            {
                want.Missing = false;
                missing--;
                Enqueue(want);
            }
            else
            {
                // It may be looked at just now, and found missing a moment ago.
                want.CameMeanwhile = true;
            }
            return true;
        }
    }

    /// <summary>The next answer; null when all that can be answered has been.</summary>
    /// <param name="store">Where the blocks are.</param>
    /// <param name="features">What the peer understands.</param>
    /// <param name="log">For a store that fails.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async ValueTask<BitswapMessage?> NextAnswerAsync(IBlockStore store, BitswapFeatures features, BitswapLog log, CancellationToken cancellationToken)
    {
        var answer = new BitswapMessage();
        int size = 0;
        while (size < options.TargetMessageSize && answer.Presences.Count < BitswapMessage.MaxEntries && TryNext() is { } want)
        {
            var entry = want.Entry;
            int? length = await store.GetSizeAsync(entry.Cid, cancellationToken);
            if (length > options.MaxMessageSize - 4096)
            {
                log.BlockTooLarge(entry.Cid, length.Value);
                length = null;
            }
            if (length is null)
            {
                if (entry.SendDontHave && features.HasFlag(BitswapFeatures.Presences)) answer.Presences.Add(new BlockPresence(entry.Cid, Have: false));
                Remember(want);
                continue;
            }
            if (entry.Type == WantType.Have && length > options.ReplaceHaveSize && features.HasFlag(BitswapFeatures.Presences))
            {
                answer.Presences.Add(new BlockPresence(entry.Cid, Have: true));
                Done(want);
                continue;
            }
            // Never more than a message holds: this one waits for the next.
            if (size > 0 && size + length > options.MaxMessageSize - 4096)
            {
                lock (gate) Enqueue(want);
                break;
            }
            if (await store.GetAsync(entry.Cid, cancellationToken) is not { } data)
            {
                Remember(want);
                continue;
            }
            if (features.HasFlag(BitswapFeatures.BlockPrefixes)) answer.Blocks.Add(new Block(entry.Cid, data));
            else answer.LegacyBlocks.Add(data);
            size += data.Length;
            Done(want);
        }
        return answer.IsEmpty ? null : answer;
    }

    private Want? TryNext()
    {
        lock (gate)
        {
            while (due.TryDequeue(out var want, out _))
            {
                if (!want.Dropped && !want.Missing) return want;
            }
            return null;
        }
    }

    private void Remember(Want want)
    {
        lock (gate)
        {
            if (want.Dropped || want.Missing) return;
            if (want.CameMeanwhile)
            {
                want.CameMeanwhile = false;
                Enqueue(want);
                return;
            }
            if (missing >= options.MaxWantsPerPeer)
            {
                Forget(want.Entry.Cid);
                return;
            }
            want.Missing = true;
            missing++;
        }
    }

    private void Done(Want want)
    {
        lock (gate)
        {
            if (!want.Dropped) Forget(want.Entry.Cid);
        }
    }

    private void Forget(Cid cid)
    {
        if (!wants.Remove(cid, out var want)) return;
        want.Dropped = true;
        if (want.Missing) missing--;
        // Dropped wants stay in the queue; a peer that wants and cancels again and again must not fill it.
        if (due.Count <= 2 * MaxUnanswered) return;
        var kept = due.UnorderedItems.Where(item => !item.Element.Dropped).ToArray();
        due.Clear();
        foreach (var (element, priority) in kept) due.Enqueue(element, priority);
    }

    private void Enqueue(Want want) => due.Enqueue(want, (-Math.Max(want.Entry.Priority, -int.MaxValue), order++));
}
