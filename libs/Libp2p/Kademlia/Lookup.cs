namespace Libp2p.Kademlia;

/// <summary>
/// An iterative query: which peer to ask next, and when enough was asked. Without I/O, one caller at a time. It ends when the k nearest
/// peers that can be reached have been asked.
/// </summary>
public sealed class Lookup(KademliaKey target, PeerId self, int bucketSize, int concurrency)
{
    // One query must not be led about for ever by peers that keep on naming new ones.
    private const int MaxHeard = 1000;

    private readonly SortedDictionary<KademliaKey, Contact> contacts = new(Comparer<KademliaKey>.Create(target.CompareDistance));
    private readonly Dictionary<PeerId, Contact> byPeer = [];

    private enum State
    {
        Heard,
        Waiting,
        Asked,
        Unreachable,
    }

    private sealed record Contact(PeerId Peer)
    {
        public State State { get; set; }
    }

    /// <summary>Peers that are being asked.</summary>
    public int Waiting { get; private set; }

    /// <summary>Whether all that need to be asked have answered.</summary>
    public bool IsDone => Waiting == 0 && Candidate() is null;

    /// <summary>The nearest peers that answered, nearest first.</summary>
    public IReadOnlyList<PeerId> Nearest => [.. contacts.Values.Where(contact => contact.State == State.Asked).Take(bucketSize).Select(contact => contact.Peer)];

    /// <summary>Peers that may be asked.</summary>
    public void Add(IEnumerable<PeerId> peers)
    {
        foreach (var peer in peers)
        {
            if (peer == self || byPeer.Count >= MaxHeard || byPeer.ContainsKey(peer)) continue;
            var contact = new Contact(peer);
            byPeer.Add(peer, contact);
            contacts[KademliaKey.Of(peer)] = contact;
        }
    }

    /// <summary>The next peer to ask now, which then counts as being asked; null when there is none at the moment.</summary>
    public PeerId? Next()
    {
        if (Waiting >= concurrency || Candidate() is not { } contact) return null;
        contact.State = State.Waiting;
        Waiting++;
        return contact.Peer;
    }

    /// <summary>A peer answered and named others.</summary>
    public void Answered(PeerId peer, IEnumerable<PeerId> closer)
    {
        End(peer, State.Asked);
        // A peer names k others at most; more is none of ours to remember.
        Add(closer.Take(2 * bucketSize));
    }

    /// <summary>A peer cannot be asked.</summary>
    public void Failed(PeerId peer) => End(peer, State.Unreachable);

    private void End(PeerId peer, State state)
    {
        if (!byPeer.TryGetValue(peer, out var contact) || contact.State != State.Waiting) return;
        contact.State = state;
        Waiting--;
    }

    private Contact? Candidate()
    {
        int reachable = 0;
        foreach (var contact in contacts.Values)
        {
            if (contact.State == State.Unreachable) continue;
            if (contact.State == State.Heard) return contact;
            if (++reachable >= bucketSize) return null;
        }
        return null;
    }
}
