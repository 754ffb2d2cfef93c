using Cluster.Model;

namespace Simulation.Tests;

/// <summary>One life of a cluster: faults and work for some minutes, then the heal, then quiet; invariants are looked at all the while.</summary>
internal static class Scenario
{
    private const int Cids = 10;

    private static readonly ReplicationFactors[] Factors = [new(-1, -1), new(1, 1), new(1, 2), new(2, 3), new(3, 3)];

    /// <summary>Runs a seed.</summary>
    /// <exception cref="ViolationException">Something that must always hold did not.</exception>
    public static World Run(int seed, List<string>? trace = null)
    {
        var world = new World(seed, trace);
        var random = world.Random;
        var faults = TimeSpan.FromMinutes(4 + random.Next(8));

        foreach (var peer in world.Peers)
            world.After(peer.Number < 2 || random.Next(3) > 0 ? TimeSpan.Zero : world.Between(0, faults.TotalSeconds), () => StartUnlessUp(peer));
        for (var i = 20 + random.Next(60); i > 0; i--)
            world.After(world.Between(20, faults.TotalSeconds), () => Operate(world));
        for (var i = random.Next(6); i > 0; i--)
            world.After(world.Between(0, faults.TotalSeconds), () => Crash(world, faults));
        for (var i = random.Next(4); i > 0; i--)
            world.After(world.Between(0, faults.TotalSeconds), () => Partition(world));
        for (var i = 0; i < 4; i++)
            world.After(world.Between(0, faults.TotalSeconds), () => Invariants.HoldNow(world));
        var deaths = random.Next(2) == 0 ? 0 : random.Next((world.Peers.Count + 1) / 2);
        for (var i = 0; i < deaths; i++)
            world.After(world.Between(30, faults.TotalSeconds), () => Kill(world));

        world.Run(faults);
        world.IsHealed = true; // what is under way to go wrong does not any more
        Heal(world);

        // An alert that led to nothing is repeated after 300 checks only (spec/behaviour.md 17.3): then what is left is re-allocated.
        world.Run(TimeSpan.FromMinutes(world.Peers.Any(peer => peer.IsDead) ? 82 : 8));
        Invariants.HoldAtTheEnd(world);
        return world;
    }

    private static void StartUnlessUp(SimPeer peer)
    {
        if (!peer.IsUp && !peer.IsDead)
            peer.Start();
    }

    private static void Operate(World world)
    {
        var random = world.Random;
        var up = world.Peers.Where(peer => peer.IsUp).ToArray();
        if (up.Length == 0)
            return;
        Work(world, up[random.Next(up.Length)]);

        // Sometimes others write at the same time, and sometimes all do the very same, then go on.
        if (random.Next(3) == 0)
            Operate(world);
        if (random.Next(4) > 0)
            return;
        var same = random.Next(Cids);
        foreach (var peer in up)
        {
            world.After(world.Between(0, 1), () =>
            {
                if (!peer.IsUp)
                    return;
                peer.Unpin(same);
                if (random.Next(2) == 0)
                    world.After(world.Between(0, 1), () => Work(world, peer));
            });
        }
    }

    private static void Work(World world, SimPeer peer)
    {
        var random = world.Random;
        for (var i = peer.IsUp ? 1 + random.Next(3) : 0; i > 0; i--)
        {
            var cid = random.Next(Cids);
            if (random.Next(3) == 0)
                peer.Unpin(cid);
            else
                peer.Pin(cid, Factors[random.Next(Factors.Length)], $"{random.Next(1000)}");
        }
    }

    private static void Crash(World world, TimeSpan faults)
    {
        var up = world.Peers.Where(peer => peer.IsUp).ToArray();
        if (up.Length == 0)
            return;
        var peer = up[world.Random.Next(up.Length)];
        SoonerOrLater(world, peer, () =>
        {
            peer.Crash();
            world.After(world.Between(0.1, Math.Max(1, (faults - world.Now).TotalSeconds)), () => StartUnlessUp(peer));
        });
    }

    /// <summary>At once, or in the middle of a write.</summary>
    private static void SoonerOrLater(World world, SimPeer peer, Action crash)
    {
        if (world.IsHealed)
            return;
        if (world.Random.Next(2) == 0)
            crash();
        else
            peer.DuringNextWrite(crash);
    }

    private static void Kill(World world)
    {
        var up = world.Peers.Where(peer => peer.IsUp).ToArray();
        if (up.Length < 2)
            return;
        var peer = up[world.Random.Next(up.Length)];

        // What it wrote just before may have come to others in part only, and the rest is lost with it.
        for (var i = 0; i < 4; i++)
            world.After(TimeSpan.FromMilliseconds(100 * i), () => Work(world, peer));
        world.After(world.Between(0, 5), () => SoonerOrLater(world, peer, () =>
        {
            if (world.Peers.Count(other => !other.IsDead) > 1)
                peer.Crash(forGood: true);
        }));
    }

    private static void Partition(World world)
    {
        foreach (var peer in world.Peers)
            peer.Part = world.Random.Next(2);
        world.Count("partitions");
        world.Trace($"parts: {string.Join(' ', world.Peers.Select(peer => peer.Part))}");
        world.After(world.Between(5, 180), () =>
        {
            foreach (var peer in world.Peers)
                peer.Part = 0;
            foreach (var peer in world.Peers.Where(peer => peer.IsUp))
                peer.ExchangeHeads();
        });
    }

    private static void Heal(World world)
    {
        world.Trace("heal");
        world.Loss = 0;
        world.MaxDelay = TimeSpan.FromMilliseconds(Math.Min(world.MaxDelay.TotalMilliseconds, 500));
        foreach (var peer in world.Peers)
        {
            peer.Part = 0;
            peer.DuringNextWrite(null);
            StartUnlessUp(peer);
        }
    }
}
