using Ipld;

namespace Libp2p.Bitswap;

/// <summary>Entries to send, by peer.</summary>
internal sealed class WantOutput
{
    public List<(PeerId Peer, WantlistEntry Entry)> Entries { get; } = [];

    public void Add(PeerId peer, WantlistEntry entry) => Entries.Add((peer, entry));
}

/// <summary>What became of asking one peer for one block.</summary>
internal enum AskState
{
    /// <summary>Asked whether it has it; no answer yet.</summary>
    AskedHave,

    /// <summary>It has it.</summary>
    Has,

    /// <summary>Asked for the block.</summary>
    AskedBlock,

    /// <summary>Asked for the block, and silent for too long.</summary>
    Silent,

    /// <summary>It does not have it now.</summary>
    Lacks,
}

/// <summary>A block that is wanted here.</summary>
internal sealed class Want(Cid cid, int priority, DateTimeOffset since)
{
    public Cid Cid => cid;

    public int Priority => priority;

    /// <summary>Completes with the block's bytes.</summary>
    public TaskCompletionSource<ReadOnlyMemory<byte>> Arrived { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The sessions that wait.</summary>
    public List<SessionPeers> Sessions { get; } = [];

    public Dictionary<PeerId, AskState> Asked { get; } = [];

    /// <summary>The peer that is to send the block now.</summary>
    public PeerId? Source { get; set; }

    public DateTimeOffset SourceSince { get; set; }

    public DateTimeOffset Since => since;

    /// <summary>When all peers were last asked; null for not yet.</summary>
    public DateTimeOffset? Broadcast { get; set; }
}

/// <summary>Peers that had blocks of a session before, or have announced them: the first to be asked.</summary>
internal sealed class SessionPeers
{
    public HashSet<PeerId> Peers { get; } = [];
}

/// <summary>
/// The blocks that are wanted here, and whom to ask for them: without I/O, one caller at a time. Peers known to be good are asked for
/// the block at once; otherwise all peers are asked whether they have it, and one of those that do for the block.
/// </summary>
internal sealed class WantBook(BitswapOptions options)
{
    private readonly Dictionary<Cid, Want> wants = [];
    private readonly Dictionary<PeerId, int> peers = []; // with the number of blocks asked of each
    private int nextPriority = int.MaxValue;

    public int Count => wants.Count;

    public IReadOnlyCollection<PeerId> Peers => peers.Keys;

    public bool Contains(Cid cid) => wants.ContainsKey(cid);

    /// <summary>One more wants a block.</summary>
    public Want Add(Cid cid, SessionPeers session, DateTimeOffset now, WantOutput output)
    {
        if (!wants.TryGetValue(cid, out var want))
        {
            // Priorities fall, so that what was wanted first comes first.
            want = new Want(cid, nextPriority > 1 ? nextPriority-- : 1, now);
            wants.Add(cid, want);
        }
        want.Sessions.Add(session);
        Pump(want, now, output);
        return want;
    }

    /// <summary>One wants a block no more.</summary>
    public void Remove(Want want, SessionPeers session, WantOutput output)
    {
        if (!want.Sessions.Remove(session) || want.Sessions.Count > 0) return;
        // One that has its block is gone, and another may want the same by now.
        if (!wants.TryGetValue(want.Cid, out var present) || present != want) return;
        wants.Remove(want.Cid);
        Release(want);
        Cancel(want, except: null, output);
    }

    public void PeerAdded(PeerId peer, DateTimeOffset now, WantOutput output)
    {
        if (!peers.TryAdd(peer, 0)) return;
        foreach (var want in InOrder())
        {
            if (want.Broadcast is not null) AskHave(want, peer, output);
            Pump(want, now, output);
        }
    }

    public void PeerRemoved(PeerId peer, DateTimeOffset now, WantOutput output)
    {
        if (!peers.Remove(peer)) return;
        foreach (var want in InOrder())
        {
            want.Asked.Remove(peer);
            if (want.Source != peer) continue;
            want.Source = null;
            Pump(want, now, output);
        }
    }

    /// <summary>A peer has a block, or has not.</summary>
    public void Presence(PeerId from, BlockPresence presence, DateTimeOffset now, WantOutput output)
    {
        // An answer that was not asked for is no answer.
        if (!wants.TryGetValue(presence.Cid, out var want) || !want.Asked.TryGetValue(from, out var state)) return;
        if (presence.Have)
        {
            foreach (var session in want.Sessions) session.Peers.Add(from);
            if (state is not AskState.AskedBlock) want.Asked[from] = AskState.Has;
        }
        else
        {
            want.Asked[from] = AskState.Lacks;
            if (want.Source == from) Release(want);
        }
        Pump(want, now, output);
    }

    /// <summary>A block came, and its hash is right.</summary>
    /// <param name="from">Who sent it; null when it came by another way.</param>
    /// <param name="cid">Its name.</param>
    /// <param name="output">Gets the cancels.</param>
    /// <returns>The want that it ends; null when nobody wants it.</returns>
    public Want? Block(PeerId? from, Cid cid, WantOutput output)
    {
        if (!wants.Remove(cid, out var want)) return null;
        if (from is { } giver)
            foreach (var session in want.Sessions) session.Peers.Add(giver);
        Release(want);
        Cancel(want, from, output);
        return want;
    }

    /// <summary>Time has passed: call about once a second while something is wanted.</summary>
    public void Tick(DateTimeOffset now, WantOutput output)
    {
        foreach (var want in InOrder())
        {
            if (want.Source is { } source && now - want.SourceSince >= options.AnswerTimeout)
            {
                want.Asked[source] = AskState.Silent;
                Release(want);
                Pump(want, now, output);
            }
            if (want.Broadcast is null)
            {
                if (now - want.Since >= options.SearchDelay) AskAll(want, now, output);
            }
            else if (now - want.Broadcast >= options.ResendInterval)
            {
                AskAgain(want, now, output);
            }
        }
    }

    private Want[] InOrder() => [.. wants.Values.OrderByDescending(want => want.Priority)];

    private void Pump(Want want, DateTimeOffset now, WantOutput output)
    {
        if (want.Source is not null) return;
        if (Best(want) is { } source)
        {
            want.Source = source;
            want.SourceSince = now;
            want.Asked[source] = AskState.AskedBlock;
            peers[source]++;
            output.Add(source, new WantlistEntry(want.Cid, want.Priority, SendDontHave: true));
            return;
        }
        if (want.Broadcast is null) AskAll(want, now, output);
    }

    /// <summary>Of the peers that have the block, or else of those that may, the one with the least to do.</summary>
    private PeerId? Best(Want want)
    {
        PeerId? best = null;
        (bool Guess, int Load) rank = default;
        foreach (var (peer, state) in want.Asked)
            if (state == AskState.Has) Consider(peer, guess: false);
        foreach (var session in want.Sessions)
            foreach (var peer in session.Peers)
                if (!want.Asked.TryGetValue(peer, out var state) || state == AskState.AskedHave) Consider(peer, guess: true);
        return best;

        void Consider(PeerId peer, bool guess)
        {
            if (!peers.TryGetValue(peer, out int load)) return;
            if (best is not null && (guess, load).CompareTo(rank) >= 0) return;
            best = peer;
            rank = (guess, load);
        }
    }

    private void AskAll(Want want, DateTimeOffset now, WantOutput output)
    {
        want.Broadcast = now;
        foreach (var peer in peers.Keys) AskHave(want, peer, output);
    }

    private static void AskHave(Want want, PeerId peer, WantOutput output)
    {
        if (!want.Asked.TryAdd(peer, AskState.AskedHave)) return;
        // Without an answer when it is missing: the peer remembers, and sends the block once it has it.
        output.Add(peer, new WantlistEntry(want.Cid, want.Priority, Type: WantType.Have));
    }

    private void AskAgain(Want want, DateTimeOffset now, WantOutput output)
    {
        foreach (var peer in want.Asked.Keys.ToArray())
            if (peer != want.Source) want.Asked.Remove(peer);
        AskAll(want, now, output);
        Pump(want, now, output);
    }

    private void Release(Want want)
    {
        if (want.Source is { } source && peers.TryGetValue(source, out int load)) peers[source] = load - 1;
        want.Source = null;
    }

    private void Cancel(Want want, PeerId? except, WantOutput output)
    {
        foreach (var (peer, state) in want.Asked)
        {
            // Who has said that it has the block remembers nothing; who has sent it neither.
            if (peer == except || state == AskState.Has || !peers.ContainsKey(peer)) continue;
            output.Add(peer, new WantlistEntry(want.Cid, 0, Cancel: true));
        }
    }
}
