namespace Libp2p.Pubsub;

/// <content>Frames of other peers.</content>
public sealed partial class GossipsubCore
{
    /// <summary>
    /// The frame of a peer, but for its messages: subscriptions and control. Call before the messages are looked at, as subscriptions of the
    /// same frame count for them.
    /// </summary>
    public void Receive(PeerId from, PubsubRpc rpc, DateTimeOffset now, GossipsubOutput output)
    {
        ArgumentNullException.ThrowIfNull(rpc);
        if (!peers.TryGetValue(from, out var peer))
        {
            // Its stream to us was quicker than ours to it.
            NoteSubscriptions(from, rpc);
            return;
        }
        foreach (var change in rpc.Subscriptions) HandleSubscription(peer, change, now, output);
        foreach (var have in rpc.IHave) HandleIHave(peer, have, output);
        HandleIWant(peer, rpc.IWant, output);
        foreach (var topic in rpc.Graft) HandleGraft(peer, topic, now, output);
        foreach (var prune in rpc.Prune) HandlePrune(peer, prune, now, output);
        HandleIDontWant(peer, rpc.IDontWant);
        foreach (var message in rpc.Publish) AnnounceLarge(peer, message, output);
    }

    private void NoteSubscriptions(PeerId from, PubsubRpc rpc)
    {
        if (rpc.Subscriptions.Count == 0) return;
        if (!early.TryGetValue(from, out var topics)) early.Add(from, topics = []);
        foreach (var change in rpc.Subscriptions)
        {
            if (!change.Subscribe) topics.Remove(change.Topic);
            else if (topics.Count < options.MaxTopicsPerPeer) topics.Add(change.Topic);
        }
    }

    private void HandleSubscription(GossipsubPeer peer, SubscriptionChange change, DateTimeOffset now, GossipsubOutput output)
    {
        if (!change.Subscribe)
        {
            peer.Topics.Remove(change.Topic);
            if (mesh.TryGetValue(change.Topic, out var left)) left.Remove(peer.Id);
            return;
        }
        if (peer.Topics.Count >= options.MaxTopicsPerPeer || !peer.Topics.Add(change.Topic)) return;
        if (mesh.ContainsKey(change.Topic)) output.Joined.Add((change.Topic, peer.Id));
        // A mesh that lacks members takes the newcomer now; the heartbeat may be 10 s away.
        if (mesh.TryGetValue(change.Topic, out var members) && members.Count < options.DegreeLow
            && peer.Features.HasFlag(PubsubFeatures.Mesh) && !backoffs.Holds(change.Topic, peer.Id, now))
        {
            GraftTo(change.Topic, peer.Id, output);
        }
    }

    private void HandleIHave(GossipsubPeer peer, IHave have, GossipsubOutput output)
    {
        if (!mesh.ContainsKey(have.Topic)) return;
        if (++peer.IHaves > options.MaxIHaveMessages || peer.AskedFor >= options.MaxIHaveLength) return;
        var unknown = have.Ids.Where(id => !seen.Contains(id)).Distinct().ToArray();
        random.Shuffle(unknown);
        var ask = Math.Min(unknown.Length, options.MaxIHaveLength - peer.AskedFor);
        if (ask <= 0) return;
        peer.AskedFor += ask;
        output.To(peer.Id).IWant.AddRange(unknown.Take(ask));
    }

    private void HandleIWant(GossipsubPeer peer, List<MessageId> ids, GossipsubOutput output)
    {
        foreach (var id in ids)
            if (!peer.Unwanted.ContainsKey(id) && history.Ask(id, peer.Id) is { } known && known.Asked <= options.GossipRetransmission)
                output.Send(peer.Id, known.Message);
    }

    private void HandleGraft(GossipsubPeer peer, string topic, DateTimeOffset now, GossipsubOutput output)
    {
        // Topics of ours only: an answer for others would be an amplifier. Subscribers only: the original takes anyone.
        if (!mesh.TryGetValue(topic, out var members) || members.Contains(peer.Id)) return;
        if (!peer.Features.HasFlag(PubsubFeatures.Mesh) || !peer.Topics.Contains(topic)) return;
        if (backoffs.Holds(topic, peer.Id, now))
        {
            PruneFrom(topic, peer.Id, now, options.PruneBackoff, exchange: false, output);
        }
        else if (members.Count >= options.DegreeHigh && !peer.Outbound)
        {
            PruneFrom(topic, peer.Id, now, options.PruneBackoff, exchange: options.PeerExchange, output);
        }
        else
        {
            members.Add(peer.Id);
        }
    }

    private void HandlePrune(GossipsubPeer peer, Prune prune, DateTimeOffset now, GossipsubOutput output)
    {
        if (!mesh.TryGetValue(prune.Topic, out var members)) return;
        members.Remove(peer.Id);
        // An hour at most: a peer must not keep itself out of our mesh for the life of the process.
        var backoff = prune.BackoffSeconds == 0 ? options.PruneBackoff : TimeSpan.FromSeconds(Math.Min(prune.BackoffSeconds, 3600));
        backoffs.Asked(prune.Topic, peer.Id, now, backoff);
        if (options.PeerExchange) output.Exchanged.AddRange(prune.Peers.Take(options.PrunePeers));
    }

    private void HandleIDontWant(GossipsubPeer peer, List<MessageId> ids)
    {
        foreach (var id in ids)
        {
            if (++peer.IDontWants > options.MaxIDontWantIds) return;
            peer.Unwanted[id] = options.IDontWantTtl;
        }
    }

    /// <summary>Tells mesh peers at once that a large message need not come again, before it is even checked.</summary>
    private void AnnounceLarge(GossipsubPeer from, PubsubMessage message, GossipsubOutput output)
    {
        if (message.Data.Length < options.IDontWantThreshold || !Wants(message)) return;
        var id = options.MessageIdOf(message);
        foreach (var member in mesh[message.Topic])
            if (member != from.Id && peers.TryGetValue(member, out var peer) && peer.Features.HasFlag(PubsubFeatures.IDontWant))
                output.To(member).IDontWant.Add(id);
    }
}
