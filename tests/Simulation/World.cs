using Crdt;

namespace Simulation.Tests;

/// <summary>
/// Virtual time, chance and the network of one run. Everything follows from the seed: the same seed gives the same run, event by event.
/// </summary>
internal sealed class World
{
    private readonly PriorityQueue<Action, (long At, long Order)> _events = new();
    private readonly List<string>? _trace;
    private long _order;

    /// <param name="seed">Decides everything.</param>
    /// <param name="trace">Takes what happens, line by line; null: nobody asks.</param>
    public World(int seed, List<string>? trace = null)
    {
        Seed = seed;
        Random = new Random(seed);
        _trace = trace;
        Loss = Random.Next(3) == 0 ? 0 : Random.NextDouble() * 0.3;
        Duplication = Random.Next(2) == 0 ? 0 : Random.NextDouble() * 0.3;
        MaxDelay = TimeSpan.FromMilliseconds(Random.Next(3) switch { 0 => 5, 1 => 200, _ => 3000 });
        var count = 2 + Random.Next(6);
        for (var i = 0; i < count; i++)
            Peers.Add(new SimPeer(this, i));
    }

    public int Seed { get; }

    public Random Random { get; }

    /// <summary>Since the start.</summary>
    public TimeSpan Now { get; private set; }

    public List<SimPeer> Peers { get; } = [];

    /// <summary>Part of the messages that get lost.</summary>
    public double Loss { get; set; }

    /// <summary>Part of the messages that arrive twice.</summary>
    public double Duplication { get; }

    /// <summary>Whether the time of faults is over.</summary>
    public bool IsHealed { get; set; }

    /// <summary>Messages take between nothing and this; so they overtake each other.</summary>
    public TimeSpan MaxDelay { get; set; }

    /// <summary>Every node ever made.</summary>
    public Dictionary<BlockId, MadeNode> Nodes { get; } = [];

    /// <summary>What the pinset of given heads was when it was seen first.</summary>
    public Dictionary<string, string> StateOfHeads { get; } = [];

    /// <summary>How often something happened, by its name.</summary>
    public Dictionary<string, int> Tally { get; } = [];

    public void Count(string what, int by = 1) => Tally[what] = Tally.GetValueOrDefault(what) + by;

    public TimeSpan Between(double minimumSeconds, double maximumSeconds) =>
        TimeSpan.FromSeconds(minimumSeconds + (Random.NextDouble() * (maximumSeconds - minimumSeconds)));

    public void After(TimeSpan delay, Action action) => _events.Enqueue(action, ((Now + delay).Ticks, _order++));

    /// <summary>Lets the events of some time happen.</summary>
    public void Run(TimeSpan duration)
    {
        var end = Now + duration;
        while (_events.TryPeek(out var action, out var at) && at.At <= end.Ticks)
        {
            _events.Dequeue();
            Now = TimeSpan.FromTicks(at.At);
            action();
        }

        Now = end;
    }

    /// <summary>Sends something: it may be lost, late or double, and does not pass between two parts of the network.</summary>
    public void Send(SimPeer from, SimPeer to, Action<SimPeer> deliver)
    {
        if (Random.NextDouble() < Loss)
        {
            Count("messages lost");
            return;
        }

        for (var copies = Random.NextDouble() < Duplication ? 2 : 1; copies > 0; copies--)
        {
            After(MaxDelay * Random.NextDouble(), () =>
            {
                if (to.IsUp && from.Part == to.Part)
                    deliver(to);
                else
                    Count("messages that met a crash or a partition");
            });
        }
    }

    public void Broadcast(SimPeer from, Action<SimPeer> deliver)
    {
        foreach (var to in Peers)
        {
            if (to != from)
                Send(from, to, deliver);
        }
    }

    /// <summary>Whether anybody reads what is traced.</summary>
    public bool Traces => _trace is not null;

    public void Trace(string line) => _trace?.Add($"{Now:mm\\:ss\\.fff} {line}");

    public void Require(bool holds, Func<string> what)
    {
        if (!holds)
            throw new ViolationException($"at {Now}: {what()}");
    }
}

/// <summary>A node that some peer made.</summary>
/// <param name="Bytes">Its bytes.</param>
/// <param name="Node">The same, read.</param>
/// <param name="Name">The id of additions in it.</param>
internal sealed record MadeNode(byte[] Bytes, DagNode Node, string Name)
{
    public static MadeNode From(BlockId id, byte[] bytes) => new(bytes, DagNode.Parse(bytes), id.ToElementId());
}

/// <summary>Something that must always hold did not.</summary>
internal sealed class ViolationException(string message) : Exception(message);
