namespace Libp2p.Pubsub;

/// <summary>
/// gossipsub v1.1 (with v1.2's IDONTWANT) as state, without I/O: peers, meshes, gossip. One caller at a time. Messages are checked by the
/// caller between <see cref="Wants"/> and <see cref="Deliver"/>, so that signatures are verified outside of whatever lock guards this.
/// Scoring is not part of it: IPFS Cluster runs without (spec libp2p §12), all scores are zero and no threshold is ever missed.
/// </summary>
public sealed partial class GossipsubCore
{
    private readonly GossipsubOptions options;
    private readonly PeerId self;
    private readonly Random random;
    private readonly Dictionary<PeerId, GossipsubPeer> peers = [];
    private readonly Dictionary<PeerId, HashSet<string>> early = []; // topics of peers to which no stream of ours is open
    private readonly Dictionary<string, HashSet<PeerId>> mesh = [];
    private readonly Dictionary<string, Fanout> fanouts = [];
    private readonly Backoffs backoffs = new();
    private readonly SeenMessages seen;
    private readonly MessageHistory history;

    /// <param name="self">Our own id; messages that name it as author and come from others are refused.</param>
    /// <param name="options">Parameters.</param>
    /// <param name="random">Chooses peers.</param>
    public GossipsubCore(PeerId self, GossipsubOptions options, Random random)
    {
        ArgumentNullException.ThrowIfNull(options);
        this.self = self;
        this.options = options;
        this.random = random;
        seen = new SeenMessages(options.SeenTtl, options.SeenLimit);
        history = new MessageHistory(options.HistoryLength, options.HistoryGossip);
    }

    /// <summary>Gives the signed peer record of a peer, to be named in a PRUNE; empty when none is known.</summary>
    public Func<PeerId, ReadOnlyMemory<byte>> SignedPeerRecordOf { get; init; } = static _ => default;

    /// <summary>Topics that we subscribe to.</summary>
    public IReadOnlyCollection<string> Topics => mesh.Keys;

    /// <summary>Peers in the mesh of a topic.</summary>
    public IReadOnlyCollection<PeerId> MeshOf(string topic) => mesh.TryGetValue(topic, out var members) ? members : [];

    /// <summary>Peers that subscribe to a topic.</summary>
    public IEnumerable<PeerId> PeersOf(string topic) => peers.Values.Where(peer => peer.Topics.Contains(topic)).Select(peer => peer.Id);

    /// <summary>A pubsub stream to a peer is open.</summary>
    public void AddPeer(PeerId peer, string protocol, bool outbound, DateTimeOffset now, GossipsubOutput output)
    {
        RemovePeer(peer);
        var known = new GossipsubPeer(peer, PubsubProtocols.FeaturesOf(protocol), outbound);
        peers[peer] = known;
        foreach (var topic in mesh.Keys) output.To(peer).Subscriptions.Add(new SubscriptionChange(topic, true));
        if (!early.Remove(peer, out var topics)) return;
        foreach (var topic in topics.Order(StringComparer.Ordinal)) HandleSubscription(known, new SubscriptionChange(topic, true), now, output);
    }

    /// <summary>Our stream to a peer has ended. Its topics are kept, because it tells them once a connection only.</summary>
    public void RemovePeer(PeerId peer)
    {
        if (peers.Remove(peer, out var known) && known.Topics.Count > 0) early[peer] = known.Topics;
        foreach (var members in mesh.Values) members.Remove(peer);
        foreach (var fanout in fanouts.Values) fanout.Peers.Remove(peer);
    }

    /// <summary>A peer is gone with all its connections.</summary>
    public void ForgetPeer(PeerId peer)
    {
        RemovePeer(peer);
        early.Remove(peer);
        backoffs.Forget(peer);
    }

    /// <summary>Joins a topic: tells everyone, and grafts peers at once instead of at the next heartbeat.</summary>
    public void Subscribe(string topic, DateTimeOffset now, GossipsubOutput output)
    {
        if (mesh.ContainsKey(topic)) return;
        var members = new HashSet<PeerId>();
        mesh.Add(topic, members);
        foreach (var peer in peers.Keys) output.To(peer).Subscriptions.Add(new SubscriptionChange(topic, true));
        foreach (var peer in PeersOf(topic)) output.Joined.Add((topic, peer));
        if (fanouts.Remove(topic, out var fanout))
            foreach (var peer in fanout.Peers.Where(peer => !backoffs.Holds(topic, peer, now)).Take(options.Degree)) GraftTo(topic, peer, output);
        foreach (var peer in Choose(GraftCandidates(topic, now), options.Degree - members.Count)) GraftTo(topic, peer, output);
    }

    /// <summary>Leaves a topic.</summary>
    public void Unsubscribe(string topic, DateTimeOffset now, GossipsubOutput output)
    {
        if (!mesh.Remove(topic, out var members)) return;
        foreach (var peer in peers.Keys) output.To(peer).Subscriptions.Add(new SubscriptionChange(topic, false));
        foreach (var peer in members) PruneFrom(topic, peer, now, options.UnsubscribeBackoff, exchange: options.PeerExchange, output);
    }

    /// <summary>Publishes an own message.</summary>
    /// <returns>How many peers it was sent to.</returns>
    public int Publish(PubsubMessage message, DateTimeOffset now, GossipsubOutput output)
    {
        ArgumentNullException.ThrowIfNull(message);
        var id = options.MessageIdOf(message);
        if (!seen.Add(id, now)) return 0;
        if (mesh.ContainsKey(message.Topic)) output.Deliveries.Add(message);
        return Route(message, id, self, now, output);
    }

    /// <summary>Whether a received message is new, on a topic of ours, and not one that pretends to be our own.</summary>
    public bool Wants(PubsubMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        return mesh.ContainsKey(message.Topic) && !message.From.Span.SequenceEqual(self.Bytes) && !seen.Contains(options.MessageIdOf(message));
    }

    /// <summary>A received message, verified and valid: delivered and relayed, unless it came by otherwise in the meantime.</summary>
    public void Deliver(PubsubMessage message, PeerId from, DateTimeOffset now, GossipsubOutput output)
    {
        var id = options.MessageIdOf(message);
        if (!mesh.ContainsKey(message.Topic) || !seen.Add(id, now)) return;
        output.Deliveries.Add(message);
        Route(message, id, from, now, output);
    }

    /// <summary>A received message, genuine but refused by the topic's validator: neither delivered nor relayed, now or later.</summary>
    public void Refuse(PubsubMessage message, DateTimeOffset now) => seen.Add(options.MessageIdOf(message), now);

    private int Route(PubsubMessage message, MessageId id, PeerId from, DateTimeOffset now, GossipsubOutput output)
    {
        history.Add(id, message);
        var sent = 0;
        foreach (var target in Targets(message.Topic, from == self, now))
        {
            if (target == from || message.From.Span.SequenceEqual(target.Bytes)) continue;
            if (!peers.TryGetValue(target, out var peer) || peer.Unwanted.ContainsKey(id)) continue;
            output.Send(target, message);
            sent++;
        }
        return sent;
    }

    private HashSet<PeerId> Targets(string topic, bool own, DateTimeOffset now)
    {
        var subscribers = peers.Values.Where(peer => peer.Topics.Contains(topic));
        if (own && options.FloodPublish) return [.. subscribers.Select(peer => peer.Id)];
        HashSet<PeerId> targets = [.. subscribers.Where(peer => peer.Features == PubsubFeatures.None).Select(peer => peer.Id)];
        if (mesh.TryGetValue(topic, out var members))
        {
            targets.UnionWith(members);
        }
        else
        {
            if (!fanouts.TryGetValue(topic, out var fanout)) fanouts.Add(topic, fanout = new Fanout());
            if (fanout.Peers.Count == 0) fanout.Peers.UnionWith(Choose(MeshPeersOf(topic), options.Degree));
            fanout.LastPublished = now;
            targets.UnionWith(fanout.Peers);
        }
        return targets;
    }

    private IEnumerable<PeerId> MeshPeersOf(string topic) =>
        peers.Values.Where(peer => peer.Features.HasFlag(PubsubFeatures.Mesh) && peer.Topics.Contains(topic)).Select(peer => peer.Id);

    private IEnumerable<PeerId> GraftCandidates(string topic, DateTimeOffset now) =>
        MeshPeersOf(topic).Where(peer => !mesh[topic].Contains(peer) && !backoffs.Holds(topic, peer, now));

    private void GraftTo(string topic, PeerId peer, GossipsubOutput output)
    {
        if (!mesh[topic].Add(peer)) return;
        output.To(peer).Graft.Add(topic);
    }

    /// <summary>Takes a peer out of a mesh and tells it, with what its protocol version understands.</summary>
    private void PruneFrom(string topic, PeerId peer, DateTimeOffset now, TimeSpan backoff, bool exchange, GossipsubOutput output)
    {
        if (mesh.TryGetValue(topic, out var members)) members.Remove(peer);
        backoffs.Add(topic, peer, now, backoff);
        if (!peers.TryGetValue(peer, out var known) || !known.Features.HasFlag(PubsubFeatures.Mesh)) return;
        var details = known.Features.HasFlag(PubsubFeatures.PruneDetails);
        var named = details && exchange
            ? Choose(MeshPeersOf(topic).Where(other => other != peer), options.PrunePeers)
                .Select(other => new ExchangedPeer(other.ToBytes(), SignedPeerRecordOf(other))).ToArray()
            : [];
        output.To(peer).Prune.Add(new Prune(topic, named, details ? (ulong)backoff.TotalSeconds : 0));
    }

    private PeerId[] Choose(IEnumerable<PeerId> candidates, int count)
    {
        if (count <= 0) return [];
        // Sorted first: the order of a dictionary must not leak into what a seed reproduces.
        var all = candidates.Order().ToArray();
        random.Shuffle(all);
        return all.Length <= count ? all : all[..count];
    }

    private sealed class Fanout
    {
        public HashSet<PeerId> Peers { get; } = [];

        public DateTimeOffset LastPublished { get; set; }
    }
}
