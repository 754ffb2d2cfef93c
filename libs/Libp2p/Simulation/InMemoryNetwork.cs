using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Libp2p.Simulation;

/// <summary>
/// A network inside the process, for tests: hosts that use its transports reach each other at <c>/memory/…</c> addresses. Delay and
/// loss come from a seeded source, time from a <see cref="TimeProvider"/>; partitions hold back bytes until they are healed.
/// </summary>
public sealed class InMemoryNetwork(TimeProvider time, int seed = 1)
{
    private readonly Lock gate = new();
    private readonly Random random = new(seed);
    private readonly ConcurrentDictionary<ulong, Listener> listeners = new();
    private readonly HashSet<InMemoryPipe> pipes = [];
    private Dictionary<int, int>? groups;
    private ulong nextAddress = 1;
    private int nextHost;

    /// <summary>Behaviour of all links.</summary>
    public LinkConditions Conditions { get; set; } = LinkConditions.Perfect;

    internal TimeProvider Time => time;

    /// <summary>A transport for one host. Its number, counted from 0, is the host's name in <see cref="Partition"/>.</summary>
    public InMemoryTransport AddHost()
    {
        lock (gate) return new InMemoryTransport(this, nextHost++);
    }

    /// <summary>Cuts the network into groups of hosts that do not reach each other; hosts that are not named form one more group.</summary>
    public void Partition(params IReadOnlyCollection<int>[] parts)
    {
        lock (gate)
        {
            groups = [];
            for (int i = 0; i < parts.Length; i++)
            {
                foreach (int host in parts[i]) groups[host] = i + 1;
            }
        }
    }

    /// <summary>Joins all parts again; what was held back arrives.</summary>
    public void Heal()
    {
        InMemoryPipe[] all;
        lock (gate)
        {
            groups = null;
            all = [.. pipes];
        }
        foreach (var pipe in all) pipe.Deliver();
    }

    internal bool Reaches(int from, int to)
    {
        lock (gate) return groups is null || groups.GetValueOrDefault(from) == groups.GetValueOrDefault(to);
    }

    /// <summary>Time on the way of the next write.</summary>
    internal TimeSpan NextDelay()
    {
        var conditions = Conditions;
        if (conditions.Jitter == TimeSpan.Zero && conditions.Loss == 0) return conditions.Delay;
        lock (gate)
        {
            var delay = conditions.Delay + conditions.Jitter * random.NextDouble();
            // Lost again with the same chance, but not for ever.
            for (int i = 0; i < 8 && random.NextDouble() < conditions.Loss; i++) delay += conditions.Retransmission;
            return delay;
        }
    }

    internal ITransportListener Listen(int host, ulong wanted)
    {
        ulong number;
        lock (gate) number = wanted != 0 ? wanted : nextAddress++;
        var listener = new Listener(this, host, number);
        while (!listeners.TryAdd(number, listener))
        {
            if (wanted != 0) throw new TransportException(TransportFailure.AddressUnavailable, $"/memory/{wanted} is in use.");
            lock (gate) number = nextAddress++;
            listener = new Listener(this, host, number);
        }
        return listener;
    }

    internal async Task<RawConnection> DialAsync(int from, ulong number, Multiaddr address, CancellationToken cancellationToken)
    {
        var trip = 2 * NextDelay();
        if (trip > TimeSpan.Zero) await Task.Delay(trip, time, cancellationToken);
        if (!listeners.TryGetValue(number, out var listener)) throw new TransportException(TransportFailure.Refused, $"{address} refused the connection: nothing listens there.");
        // Nobody says that a partition is there; the dial just gets no answer.
        if (!Reaches(from, listener.Host)) await Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken);
        InMemoryPipe there = new(this, from, listener.Host), back = new(this, listener.Host, from);
        Multiaddr own;
        lock (gate)
        {
            pipes.Add(there);
            pipes.Add(back);
            own = Multiaddr.FromMemory(nextAddress++);
        }
        var inbound = new RawConnection(new InMemoryStream(there, back), listener.Address, own);
        if (!listener.Connections.Writer.TryWrite(inbound)) throw new TransportException(TransportFailure.Refused, $"{address} refused the connection.");
        return new RawConnection(new InMemoryStream(back, there), own, address.WithoutPeer());
    }

    internal void Forget(InMemoryPipe pipe)
    {
        lock (gate) pipes.Remove(pipe);
    }

    private sealed class Listener(InMemoryNetwork network, int host, ulong number) : ITransportListener
    {
        public int Host { get; } = host;

        public Channel<RawConnection> Connections { get; } = Channel.CreateUnbounded<RawConnection>();

        public Multiaddr Address { get; } = Multiaddr.FromMemory(number);

        public async Task<RawConnection?> AcceptAsync(CancellationToken cancellationToken)
        {
            while (await Connections.Reader.WaitToReadAsync(cancellationToken))
            {
                if (Connections.Reader.TryRead(out var connection)) return connection;
            }
            return null;
        }

        public ValueTask DisposeAsync()
        {
            network.listeners.TryRemove(number, out _);
            Connections.Writer.TryComplete();
            return default;
        }
    }
}

/// <summary>One host's access to an <see cref="InMemoryNetwork"/>.</summary>
public sealed class InMemoryTransport : ITransport
{
    private readonly InMemoryNetwork network;

    internal InMemoryTransport(InMemoryNetwork network, int host)
    {
        this.network = network;
        Host = host;
    }

    /// <summary>The host's number in the network.</summary>
    public int Host { get; }

    /// <inheritdoc/>
    public bool CanDial(Multiaddr address) => TryNumber(address, out ulong number) && number != 0;

    /// <inheritdoc/>
    public bool CanListen(Multiaddr address) => TryNumber(address, out _);

    /// <inheritdoc/>
    public Task<RawConnection> DialAsync(Multiaddr address, CancellationToken cancellationToken) =>
        network.DialAsync(Host, Number(address), address, cancellationToken);

    /// <inheritdoc/>
    public Task<ITransportListener> ListenAsync(Multiaddr address, CancellationToken cancellationToken) =>
        Task.FromResult(network.Listen(Host, Number(address)));

    private static ulong Number(Multiaddr address) =>
        TryNumber(address, out ulong number) ? number : throw new ArgumentException($"{address} is no /memory/… address.", nameof(address));

    private static bool TryNumber(Multiaddr address, out ulong number)
    {
        number = 0;
        var bare = address.WithoutPeer();
        return bare.Components.Count == 1 && bare.Components[0].Protocol == AddressProtocol.Memory
            && ulong.TryParse(bare.Components[0].Value, out number);
    }
}
