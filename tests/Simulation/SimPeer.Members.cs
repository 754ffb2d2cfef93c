using Cluster.Allocation;
using Cluster.Model;
using Ipld;
using Libp2p;

namespace Simulation.Tests;

internal sealed partial class SimPeer
{
    private static readonly string[] AllocateBy = ["freespace"];

    /// <summary>The peers with a valid ping, this one included.</summary>
    public IReadOnlyList<PeerId> Members => [.. _metrics.LatestValid("ping", Clock).Select(metric => metric.Peer).Append(Id).Distinct().Order()];

    private void Ping()
    {
        var expire = Clock.UnixNanoseconds + ((long)PingInterval.TotalSeconds * 2 * 1_000_000_000);
        Metric[] metrics =
        [
            new() { Name = "ping", Peer = Id, Valid = true, Expire = expire },
            new() { Name = "freespace", Peer = Id, Valid = true, Expire = expire, Weight = 1 + Number },
        ];
        Receive(metrics);
        _world.Broadcast(this, to => to.Receive(metrics));
        Later(PingInterval, Ping);
    }

    private void Receive(Metric[] metrics)
    {
        foreach (var metric in metrics)
        {
            // A late one must not bring back what a newer one replaced.
            if (_metrics.Newest(metric.Name, metric.Peer) is { } newest && newest.Expire >= metric.Expire)
                continue;
            _metrics.Add(metric);
            _detector.Received(metric, Clock);
        }
    }

    private void Check()
    {
        foreach (var alert in _detector.CheckAll(Clock))
        {
            if (alert.Metric.Name == "ping")
                Evacuate(alert.Metric.Peer);
        }

        Later(CheckInterval, Check);
    }

    /// <summary>Re-allocates what a peer holds, as far as this peer is the one to act.</summary>
    private void Evacuate(PeerId gone)
    {
        var distance = new PeerDistance(Id, Members.Where(peer => peer != Id && peer != gone));
        foreach (var (key, pin) in _pins.OrderBy(entry => entry.Key, StringComparer.Ordinal).ToArray())
        {
            if (!pin.IsAllocatedTo(gone) || !distance.IsClosest(pin.Cid))
                continue;
            if (Allocate(pin.Options.Replication, pin, [gone]) is not { } allocations)
                continue;
            _world.Count("pins re-allocated");
            _world.Trace($"peer {Number} repins {pin.Cid} out of {gone}");
            Enqueue(new Input.Put(key, pin with { Allocations = allocations, Timestamp = Clock }));
        }
    }

    private IReadOnlyList<PeerId>? Allocate(ReplicationFactors factors, Pin? existing, IReadOnlyList<PeerId> excluded)
    {
        var request = new AllocationRequest(factors) { Current = existing?.Allocations ?? [], Excluded = excluded };
        try
        {
            return factors.IsEverywhere
                ? []
                : Allocator.Allocate(request, PeerMetrics.Create(_metrics.LatestValid("freespace", Clock), AllocateBy, Clock), _world.Random);
        }
        catch (AllocationException)
        {
            _world.Count("allocations refused");
            return null; // refused, or left as it is
        }
    }

    private Pin NewPin(int cid, ReplicationFactors factors, IReadOnlyList<PeerId> allocations, string name) => new()
    {
        Cid = CidOf(cid),
        Type = PinType.Data,
        MaxDepth = -1,
        Allocations = allocations,
        Timestamp = Clock,
        Options = new PinOptions { Replication = factors, Name = name },
    };
}
