using Cluster.Model;
using Crdt;
using Libp2p;

namespace Simulation.Tests;

/// <summary>What must hold, whatever happened.</summary>
internal static class Invariants
{
    /// <summary>At any moment, of every peer that does not write just now.</summary>
    public static void HoldNow(World world)
    {
        foreach (var peer in world.Peers.Where(peer => peer.IsUp && peer.IsIdle))
            StateFollowsFromNodes(world, peer);
    }

    /// <summary>When all is healed and quiet.</summary>
    public static void HoldAtTheEnd(World world)
    {
        var live = world.Peers.Where(peer => !peer.IsDead).ToArray();
        foreach (var peer in live)
        {
            world.Require(peer.IsIdle, () => $"peer {peer.Number} is not quiet");
            StateFollowsFromNodes(world, peer);
            foreach (var missing in peer.Missing)
            {
                world.Require(
                    !live.Any(other => MerkleCrdt.IsMerged(other.Disk.Durable, missing)), () => $"peer {peer.Number} misses node {missing}, which others have");
            }

            foreach (var node in live.SelectMany(other => other.Acknowledged))
                world.Require(MerkleCrdt.IsMerged(peer.Disk.Durable, node), () => $"peer {peer.Number} never got the acknowledged node {node}");
        }

        foreach (var peer in world.Peers)
        {
            foreach (var node in peer.Acknowledged)
                world.Require(MerkleCrdt.IsMerged(peer.Disk.Durable, node), () => $"peer {peer.Number} lost the acknowledged node {node}");
        }

        var first = live[0];
        foreach (var peer in live)
        {
            world.Require(
                StateOf(peer) == StateOf(first), () => $"peers {first.Number} and {peer.Number} differ:\n{StateOf(first)}\n--\n{StateOf(peer)}");
            world.Require(
                peer.Missing.Count > 0 || peer.Heads.SequenceEqual(first.Heads), () => $"peers {first.Number} and {peer.Number} have other heads");
        }

        AnyOrderGivesTheSame(world, first);
        PinsAreHeld(world, live);
    }

    /// <summary>The pinset is the one that follows from the merged nodes; equal heads mean equal pinsets; the heads are the tips.</summary>
    private static void StateFollowsFromNodes(World world, SimPeer peer)
    {
        var merged = Merged(world, peer);
        var expected = Reference.Text(Reference.StateOf(merged.Select(entry => entry.Made)));
        var actual = StateOf(peer);
        world.Require(expected == actual, () => $"peer {peer.Number} has\n{actual}\n-- but its nodes say\n{expected}");
        var told = Reference.Text(peer.Pins.Select(pin => KeyValuePair.Create(pin.Key, PinProtobuf.ToBytes(pin.Value))));
        world.Require(told == actual, () => $"peer {peer.Number} has\n{actual}\n-- but told the tracker\n{told}");
        if (peer.Missing.Count > 0)
            return;

        var linked = merged.SelectMany(entry => entry.Made.Node.Links).ToHashSet();
        var tips = merged.Select(entry => entry.Id).Where(id => !linked.Contains(id)).Order().ToArray();
        world.Require(tips.SequenceEqual(peer.Heads.Keys), () => $"peer {peer.Number} has the heads {string.Join(' ', peer.Heads.Keys)}, its tips are {string.Join(' ', tips)}");
        foreach (var (id, made) in merged)
        {
            world.Require(
                !peer.Heads.TryGetValue(id, out var height) || height == made.Node.Delta.Priority, () => $"peer {peer.Number} keeps head {id} with height {height}");
        }

        if (peer.Heads.Count > 1)
            world.Count("looks at several heads");
        var heads = string.Join(' ', peer.Heads.Keys);
        if (world.StateOfHeads.TryAdd(heads, actual))
            return;
        world.Count("heads seen again");
        world.Require(world.StateOfHeads[heads] == actual, () => $"the heads {heads} meant something else before");
    }

    /// <summary>All nodes of a peer once more, shuffled and repeated, into an empty replica.</summary>
    private static void AnyOrderGivesTheSame(World world, SimPeer peer)
    {
        var nodes = Merged(world, peer).Select(entry => entry.Id).ToArray();
        var known = nodes.ToHashSet();
        var disk = new SimDisk();
        var core = MerkleCrdt.Open(disk.Seen);
        world.Random.Shuffle(nodes);
        void Write(Action<ICrdtTransaction, CrdtOutput> change, CrdtOutput output)
        {
            var transaction = disk.Begin();
            change(transaction, output);
            transaction.Commit();
        }

        var output = new CrdtOutput();
        Write((transaction, o) => core.HeadsReceived(transaction, nodes, o), output);
        List<BlockId> open = [.. output.Fetches, .. output.Fetches.Where(_ => world.Random.Next(3) == 0)];
        while (open.Count > 0)
        {
            var at = world.Random.Next(open.Count);
            var id = open[at];
            open.RemoveAt(at);
            if (!known.Contains(id))
                continue; // lost with its author
            var step = new CrdtOutput();
            Write((transaction, o) => core.BlockArrived(transaction, id, world.Nodes[id].Bytes, o), step);
            open.AddRange(step.Fetches);
            if (world.Random.Next(60) == 0)
            {
                disk.Sync();
                core = MerkleCrdt.Open(disk.Seen);
                var again = new CrdtOutput();
                Write((transaction, o) => core.HeadsReceived(transaction, nodes, o), again);
                open.AddRange(again.Fetches);
            }
        }

        world.Require(Reference.Text(MerkleCrdt.All(disk.Seen)) == StateOf(peer), () => "another order of the same nodes gives another state");
    }

    /// <summary>As many live peers hold a pin as it asks for at least, if there are that many.</summary>
    private static void PinsAreHeld(World world, SimPeer[] live)
    {
        var ids = live.ToDictionary(peer => peer.Id);
        foreach (var peer in live)
            world.Require(peer.Members.SequenceEqual(ids.Keys.Order()), () => $"peer {peer.Number} sees {peer.Members.Count} members of {live.Length}");
        foreach (var pin in live[0].Pins.Values)
        {
            var minimum = pin.Options.Replication.Minimum;
            var holders = pin.Allocations ?? [];
            var held = holders.Count(ids.ContainsKey);
            if (minimum < 0 || held >= minimum || live.Length < minimum)
            {
                world.Count(minimum > 0 && held >= minimum ? "pins held by enough" : "pins that cannot be held by enough, or are everywhere");
                continue;
            }

            world.Count("pins of a dead peer that nobody who acts has heard of");

            // Who acts must have known the dead one: a detector that started later has never heard of it, here as in the original.
            var actor = live.Single(peer => new Cluster.Allocation.PeerDistance(peer.Id, ids.Keys).IsClosest(pin.Cid));
            var gone = holders.Where(holder => !ids.ContainsKey(holder));
            world.Require(
                !gone.Any(actor.Remembers), () => $"{pin.Cid} is held by {held} of at least {minimum}; peer {actor.Number} should have acted, {live.Length} live");
        }
    }

    private static List<(BlockId Id, MadeNode Made)> Merged(World world, SimPeer peer) =>
        [.. world.Nodes.Where(node => MerkleCrdt.IsMerged(peer.Disk.Seen, node.Key)).Select(node => (node.Key, node.Value))];

    private static string StateOf(SimPeer peer) => Reference.Text(MerkleCrdt.All(peer.Disk.Seen));
}
