using System.Globalization;
using System.Text;
using Cluster.Model;

namespace Cluster.Ctl.Output;

/// <summary>The text forms of answers (spec/ctl.md 4).</summary>
internal static class TextOutput
{
    public static string Peer(PeerInfo peer)
    {
        if (peer.Error.Length > 0)
            return $"{peer.Id} | ERROR: {peer.Error}\n";
        var text = new StringBuilder();
        text.Append(peer.Id).Append(" | ").Append(peer.PeerName).Append(" | Sees ").Append((peer.ClusterPeers?.Count ?? 0) - 1);
        text.Append(" other peers\n  > Addresses:\n");
        Addresses(text, (peer.Addresses ?? []).Select(address => address.ToString()));
        if (peer.Ipfs.Error.Length > 0)
        {
            text.Append("  > IPFS ERROR: ").Append(peer.Ipfs.Error).Append('\n');
            return text.ToString();
        }

        text.Append("  > IPFS: ").Append(peer.Ipfs.Id).Append('\n');
        Addresses(text, peer.Ipfs.Addresses ?? []);
        return text.ToString();
    }

    public static string Status(GlobalPinInfo info)
    {
        var text = new StringBuilder();
        text.Append(info.Cid);
        if (info.Name.Length > 0)
            text.Append(" | ").Append(info.Name);
        text.Append(":\n");
        foreach (var (peer, status) in (info.PeerMap ?? []).OrderBy(entry => entry.Key.ToString(), StringComparer.Ordinal))
        {
            text.Append("    > ").Append((status.PeerName.Length > 0 ? status.PeerName : peer.ToString()).PadRight(20));
            text.Append(" : ").Append(status.Status.ToText().ToUpperInvariant());
            if (status.Error.Length > 0)
                text.Append(": ").Append(status.Error);
            text.Append(" | ").Append(status.Timestamp).Append(" | Attempts: ").Append(status.AttemptCount);
            text.Append(" | Priority: ").Append(status.PriorityPin ? "true" : "false").Append('\n');
        }

        return text.ToString();
    }

    public static string Pin(Pin pin)
    {
        var options = pin.Options;
        var everywhere = options.Replication.IsEverywhere;
        var factors = everywhere ? "-1" : $"{options.Replication.Minimum}--{options.Replication.Maximum}";
        var peers = everywhere ? "everywhere" : string.Join(' ', (pin.Allocations ?? []).Select(p => p.ToString()).Order(StringComparer.Ordinal));
        var depth = pin.MaxDepth switch
        {
            PinDepth.Recursive => "Recursive",
            PinDepth.Direct => "Direct",
            var levels => "Recursive-" + levels.ToString(CultureInfo.InvariantCulture),
        };
        return $"{pin.Cid} | {options.Name} | {pin.Type.ToText().ToUpperInvariant()}{(options.Mode == PinMode.Direct ? "-DIRECT" : string.Empty)}"
            + $" | Repl. Factor: {factors} | Allocations: [{peers}] | {depth} | Metadata: {(options.Metadata is { Count: > 0 } ? "yes" : "no")}"
            + $" | Exp: {(options.ExpireAt.IsZero ? "∞" : Date(options.ExpireAt))}"
            + $" | Added: {(pin.Timestamp.IsZero ? "unknown" : Date(pin.Timestamp))}\n";
    }

    public static string Metric(Metric metric, GoTime now)
    {
        var value = metric is { Name: "freespace", Weight: > 0 } ? Humanized.Bytes((ulong)metric.Weight) : metric.Value;
        return $"{metric.Peer} | {metric.Name}: {value} | Expires in: {Humanized.Relative(GoTime.FromUnixNanoseconds(metric.Expire), now)}\n";
    }

    public static string Alert(Alert alert, GoTime now) =>
        $"{alert.Metric.Peer}: {alert.Metric.Name}. Expired at: {Humanized.Relative(GoTime.FromUnixNanoseconds(alert.Metric.Expire), now)}."
        + $" Triggered at: {Humanized.Relative(alert.TriggeredAt, now)}\n";

    public static string Bandwidth(IReadOnlyDictionary<string, BandwidthStats> bandwidth)
    {
        var text = new StringBuilder();
        foreach (var (protocol, stats) in bandwidth.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"{protocol,25}: In: {Humanized.Bytes((ulong)Math.Max(0, stats.TotalIn)),7}.");
            text.Append(CultureInfo.InvariantCulture, $" Out: {Humanized.Bytes((ulong)Math.Max(0, stats.TotalOut)),7}.");
            text.Append(CultureInfo.InvariantCulture, $" RateIn: {stats.RateIn:F2}B/s. RateOut: {stats.RateOut:F2}B/s\n");
        }

        return text.ToString();
    }

    public static string Collected(GlobalRepoGc collected)
    {
        var text = new StringBuilder();
        foreach (var (peer, result) in (collected.PeerMap ?? []).OrderBy(entry => entry.Key.ToString(), StringComparer.Ordinal))
        {
            text.Append((result.PeerName.Length > 0 ? result.PeerName : peer.ToString()).PadRight(15));
            if (result.Error.Length > 0)
                text.Append(" | ERROR: ").Append(result.Error);
            text.Append("\n  > CIDs:\n");
            foreach (var key in result.Keys ?? [])
                text.Append("    - ").Append(key.Error.Length > 0 ? "ERROR: " + key.Error : key.Key.ToString()).Append('\n');
        }

        return text.ToString();
    }

    private static void Addresses(StringBuilder text, IEnumerable<string> addresses)
    {
        foreach (var address in addresses.Order(StringComparer.Ordinal))
            text.Append("    - ").Append(address).Append('\n');
    }

    // In the offset that the value carries.
    private static string Date(GoTime time)
    {
        var text = time.ToString();
        return text[..10] + " " + text[11..19];
    }
}
