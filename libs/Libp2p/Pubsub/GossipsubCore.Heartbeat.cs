namespace Libp2p.Pubsub;

/// <content>What happens at every heartbeat.</content>
public sealed partial class GossipsubCore
{
    /// <summary>Mends the meshes, gossips about the last messages, forgets what is old.</summary>
    public void Heartbeat(DateTimeOffset now, GossipsubOutput output)
    {
        backoffs.Expire(now);
        seen.Expire(now);
        foreach (var peer in peers.Values) Refresh(peer);
        foreach (var (topic, members) in mesh)
        {
            MendMesh(topic, members, now, output);
            Gossip(topic, members, output);
        }
        MendFanouts(now, output);
        history.Shift();
    }

    private static void Refresh(GossipsubPeer peer)
    {
        peer.IHaves = peer.AskedFor = peer.IDontWants = 0;
        foreach (var (id, heartbeats) in peer.Unwanted.ToArray())
        {
            if (heartbeats <= 1) peer.Unwanted.Remove(id);
            else peer.Unwanted[id] = heartbeats - 1;
        }
    }

    private void MendMesh(string topic, HashSet<PeerId> members, DateTimeOffset now, GossipsubOutput output)
    {
        members.RemoveWhere(peer => !peers.ContainsKey(peer));
        if (members.Count < options.DegreeLow)
            foreach (var peer in Choose(GraftCandidates(topic, now), options.Degree - members.Count)) GraftTo(topic, peer, output);
        else if (members.Count >= options.DegreeHigh)
            PruneSurplus(topic, members, now, output);
        if (members.Count < options.DegreeLow) return;
        var outbound = members.Count(peer => peers[peer].Outbound);
        foreach (var peer in Choose(GraftCandidates(topic, now).Where(peer => peers[peer].Outbound), options.DegreeOutbound - outbound))
            GraftTo(topic, peer, output);
    }

    /// <summary>Keeps a random choice of D, but as many dialled ones among them as are due.</summary>
    private void PruneSurplus(string topic, HashSet<PeerId> members, DateTimeOffset now, GossipsubOutput output)
    {
        var shuffled = Choose(members, members.Count);
        var dialled = shuffled.Where(peer => peers[peer].Outbound).Take(options.DegreeOutbound).ToHashSet();
        var kept = dialled.Concat(shuffled.Where(peer => !dialled.Contains(peer))).Take(options.Degree).ToHashSet();
        foreach (var peer in shuffled)
            if (!kept.Contains(peer)) PruneFrom(topic, peer, now, options.PruneBackoff, options.PeerExchange, output);
    }

    private void MendFanouts(DateTimeOffset now, GossipsubOutput output)
    {
        foreach (var (topic, fanout) in fanouts)
        {
            if (fanout.LastPublished + options.FanoutTtl < now)
            {
                fanouts.Remove(topic);
                continue;
            }
            fanout.Peers.RemoveWhere(peer => !peers.TryGetValue(peer, out var known) || !known.Topics.Contains(topic));
            if (fanout.Peers.Count < options.Degree)
                fanout.Peers.UnionWith(Choose(MeshPeersOf(topic).Where(peer => !fanout.Peers.Contains(peer)), options.Degree - fanout.Peers.Count));
            Gossip(topic, fanout.Peers, output);
        }
    }

    /// <summary>Offers the last messages of a topic to some of the peers that do not get them anyway.</summary>
    private void Gossip(string topic, HashSet<PeerId> receivers, GossipsubOutput output)
    {
        var ids = history.GossipIds(topic);
        if (ids.Count == 0) return;
        var others = MeshPeersOf(topic).Where(peer => !receivers.Contains(peer)).ToArray();
        foreach (var peer in Choose(others, Math.Max(options.DegreeLazy, (int)(options.GossipFactor * others.Length))))
        {
            var offered = ids.ToArray();
            random.Shuffle(offered);
            output.To(peer).IHave.Add(new IHave(topic, offered.Length <= options.MaxIHaveLength ? offered : offered[..options.MaxIHaveLength]));
        }
    }
}
