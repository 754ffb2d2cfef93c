using Cluster.Consensus.Members;
using Cluster.Consensus.Metrics;
using Cluster.Model;
using Google.Protobuf;
using Ipld;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Status;

/// <summary>Builds the entries of a global status, from peers' reports and in place of those that are missing (spec/behaviour.md 14).</summary>
public sealed class StatusReports(SelfPeer self, MetricSnapshot metrics, TimeProvider clock)
{
    /// <summary>A global status that a report begins: what is the same on all peers comes from it.</summary>
    public static V1.GlobalPinInfo Begin(V1.PinInfo report)
    {
        var global = new V1.GlobalPinInfo
        {
            Cid = report.Cid,
            Name = report.Name,
            Created = report.Created,
            InPinset = report.InPinset,
        };
        global.Allocations.Add(report.Allocations);
        global.Origins.Add(report.Origins);
        global.Metadata.Add(report.Metadata);
        return global;
    }

    /// <summary>A global status of a pin as it stands in the pinset.</summary>
    public static V1.GlobalPinInfo Begin(Pin pin)
    {
        var global = new V1.GlobalPinInfo
        {
            Cid = Wrap(pin.Cid),
            Name = pin.Options.Name,
            Created = Time(pin.Timestamp),
            InPinset = true,
        };
        foreach (var peer in pin.Allocations ?? [])
            global.Allocations.Add(Wrap(peer));
        foreach (var origin in pin.Options.Origins ?? [])
            global.Origins.Add(UnsafeByteOperations.UnsafeWrap(origin.ToBytes()));
        foreach (var (key, value) in pin.Options.Metadata ?? Metadata.Empty)
            global.Metadata[key] = value;
        return global;
    }

    /// <summary>A global status of a CID that is not in the pinset; created now, as the original has it.</summary>
    public V1.GlobalPinInfo BeginUnknown(Cid cid) => new() { Cid = Wrap(cid), Created = Now() };

    /// <summary>A peer's report as an entry: without what the global status carries, with the peer's identity.</summary>
    public V1.PinInfo Entry(PeerId peer, V1.PinInfo report)
    {
        report.Cid = ByteString.Empty;
        report.Name = string.Empty;
        report.Allocations.Clear();
        report.Origins.Clear();
        report.Created = null;
        report.Metadata.Clear();
        report.InPinset = false;
        Identify(peer, report);
        return report;
    }

    /// <summary>An entry made here for a peer that was not asked, or did not answer.</summary>
    public V1.PinInfo Made(PeerId peer, V1.TrackerStatus status, string error = "")
    {
        var info = new V1.PinInfo { Status = status, Timestamp = Now(), Error = error };
        Identify(peer, info);
        return info;
    }

    internal static ByteString Wrap(Cid cid) => UnsafeByteOperations.UnsafeWrap(cid.Memory);

    internal static ByteString Wrap(PeerId peer) => UnsafeByteOperations.UnsafeWrap(peer.ToBytes());

    internal static V1.Time? Time(GoTime time) => time.IsZero ? null : new V1.Time { Seconds = time.UnixSeconds, Nanos = time.Nanosecond };

    /// <summary>What is the same in all of a peer's entries: its id, its name, its daemon as of its last ping.</summary>
    public V1.PinInfo IdentityOf(PeerId peer)
    {
        var info = new V1.PinInfo();
        Identify(peer, info);
        return info;
    }

    /// <summary>Says in a report whose it is, where it does not say so itself.</summary>
    public void Identify(PeerId peer, V1.PinInfo info)
    {
        if (info.Peer.IsEmpty)
            info.Peer = Wrap(peer);
        var ping = metrics.PingOf(peer);
        if (info.PeerName.Length == 0)
            info.PeerName = peer == self.Id ? self.Name : ping.PeerName;
        if (info.IpfsPeerId.Length == 0)
            info.IpfsPeerId = ping.IpfsId;
        if (info.IpfsPeerAddresses.Count == 0 && ping.IpfsAddresses.Count > 0 && info.IpfsPeerId == ping.IpfsId)
            info.IpfsPeerAddresses.Add(ping.IpfsAddresses);
    }

    private V1.Time Now() => Time(GoTime.Now(clock))!;
}
