using Libp2p.Pubsub;

namespace Libp2p.Tests.Pubsub;

/// <summary>
/// Gossip among many cores in virtual time: links with seeded delay, frames that get lost as those do that do not fit a queue, partitions.
/// Nothing in it depends on anything but the seed.
/// </summary>
internal sealed class GossipNetwork
{
    public const string Topic = "news";

    private readonly PriorityQueue<Action, (long Ticks, long Order)> agenda = new();
    private readonly Random random;
    private readonly Host[] hosts;
    private readonly Dictionary<PeerId, int> numbers = [];
    private readonly double loss;
    private readonly TimeSpan heartbeat;
    private DateTimeOffset now = DateTimeOffset.UnixEpoch;
    private long order;
    private int groups = 1;

    private sealed record Host(PrivateKey Key, GossipsubCore Core, HashSet<int> Links);

    public GossipNetwork(int seed, int count, int linksPerHost, double loss, GossipsubOptions options)
    {
        random = new Random(seed);
        this.loss = loss;
        heartbeat = options.HeartbeatInterval;
        hosts = new Host[count];
        for (int i = 0; i < count; i++)
        {
            var key = new byte[32];
            random.NextBytes(key);
            var identity = PrivateKey.FromEd25519Seed(key);
            hosts[i] = new Host(identity, new GossipsubCore(identity.PeerId, options, new Random(random.Next())), []);
            numbers.Add(identity.PeerId, i);
        }
        for (int i = 0; i < count; i++)
        {
            Do(i, (host, output) => host.Core.Subscribe(Topic, now, output));
            int number = i;
            At(options.HeartbeatInitialDelay + random.NextDouble() * heartbeat, () => Heartbeat(number));
        }
        // A ring keeps the graph whole; the rest is chance.
        for (int i = 0; i < count; i++)
        {
            Connect(i, (i + 1) % count);
            while (hosts[i].Links.Count < linksPerHost) Connect(i, random.Next(count));
        }
    }

    /// <summary>Who got which message, when, in the order of events.</summary>
    public List<(int Host, string Text, TimeSpan At)> Deliveries { get; } = [];

    public TimeSpan Now => now - DateTimeOffset.UnixEpoch;

    public int MeshOf(int host) => hosts[host].Core.MeshOf(Topic).Count;

    public void Publish(int host, string text)
    {
        var message = PubsubMessage.Create(hosts[host].Key, Topic, System.Text.Encoding.UTF8.GetBytes(text), (ulong)++order);
        Do(host, (h, output) => h.Core.Publish(message, now, output));
    }

    /// <summary>Cuts the network: frames between the parts are lost, connections stay until they are noticed to be dead.</summary>
    public void Partition(int parts) => groups = parts;

    public void Heal() => groups = 1;

    public void Run(TimeSpan span)
    {
        var end = now + span;
        while (agenda.TryPeek(out var act, out var due) && due.Ticks <= (end - DateTimeOffset.UnixEpoch).Ticks)
        {
            agenda.Dequeue();
            now = DateTimeOffset.UnixEpoch + TimeSpan.FromTicks(due.Ticks);
            act();
        }
        now = end;
    }

    private void Connect(int a, int b)
    {
        if (a == b || !hosts[a].Links.Add(b)) return;
        hosts[b].Links.Add(a);
        Do(a, (host, output) => host.Core.AddPeer(hosts[b].Key.PeerId, "/meshsub/1.1.0", outbound: true, now, output));
        Do(b, (host, output) => host.Core.AddPeer(hosts[a].Key.PeerId, "/meshsub/1.1.0", outbound: false, now, output));
    }

    private void Heartbeat(int number)
    {
        Do(number, (host, output) => host.Core.Heartbeat(now, output));
        At(heartbeat, () => Heartbeat(number));
    }

    private void At(TimeSpan delay, Action act) => agenda.Enqueue(act, (Now.Ticks + delay.Ticks, order++));

    private void Do(int number, Action<Host, GossipsubOutput> act)
    {
        var output = new GossipsubOutput();
        act(hosts[number], output);
        foreach (var message in output.Deliveries) Deliveries.Add((number, System.Text.Encoding.UTF8.GetString(message.Data.Span), Now));
        foreach (var (peer, rpc) in output.Frames)
        {
            if (rpc.IsEmpty) continue;
            int to = numbers[peer];
            bool lost = rpc.Subscriptions.Count == 0 && random.NextDouble() < loss;
            byte[] bytes = rpc.Encode();
            if (!lost) At(TimeSpan.FromMilliseconds(5 + 45 * random.NextDouble()), () => Receive(number, to, bytes));
        }
    }

    private void Receive(int from, int to, byte[] bytes)
    {
        if (from % groups != to % groups || !PubsubRpc.TryParse(bytes, out var rpc)) return;
        var sender = hosts[from].Key.PeerId;
        Do(to, (host, output) =>
        {
            host.Core.Receive(sender, rpc, now, output);
            foreach (var message in rpc.Publish)
            {
                // Signatures are another test's subject.
                if (host.Core.Wants(message)) host.Core.Deliver(message, sender, now, output);
            }
        });
    }
}
