using Cluster.Model;
using Cluster.Monitor.Core;
using FsCheck;
using FsCheck.Fluent;
using Xunit;
using static Cluster.Monitor.Tests.Peers;

namespace Cluster.Monitor.Tests;

public sealed class LatestChangesProperties
{
    /// <summary>A watcher that applies the changes holds what the store says, whatever comes in which order.</summary>
    [Fact]
    public void Changes_lead_to_what_the_store_holds()
    {
        var steps = ArbMap.Default.ArbFor<(byte Peer, byte Name, bool Valid, short Expires, byte Passes)[]>();
        Check.QuickThrowOnFailure(Prop.ForAll(steps, sequence => Holds(sequence)));
    }

    private static bool Holds((byte Peer, byte Name, bool Valid, short Expires, byte Passes)[] steps)
    {
        var store = new MetricStore();
        var changes = new LatestChanges();
        var watcher = new Dictionary<(Libp2p.PeerId, string), Metric>();
        long seconds = 1_800_000_000;
        foreach (var step in steps)
        {
            seconds += step.Passes;
            var now = GoTime.FromUnix(seconds);
            var metric = new Metric
            {
                Peer = Peer(step.Peer % 3),
                Name = "name" + (step.Name % 3),
                Valid = step.Valid,
                Expire = GoTime.FromUnix(seconds + step.Expires % 300).UnixNanoseconds,
            };
            store.Add(metric);
            Apply(watcher, changes.Received(metric, now));
            Apply(watcher, changes.Expire(now));
            var held = store.Names.SelectMany(name => store.LatestValid(name, now)).ToHashSet();
            if (!held.SetEquals(watcher.Values) || !held.SetEquals(changes.Current))
                return false;
            if (held.Count > 0 && changes.NextDeadline > held.Min(each => each.Expire))
                return false;
        }
        return true;
    }

    private static void Apply(Dictionary<(Libp2p.PeerId, string), Metric> watcher, LatestChange? change)
    {
        foreach (var expired in change?.Expired ?? [])
            watcher.Remove((expired.Peer, expired.Name));
        foreach (var metric in change?.Metrics ?? [])
            watcher[(metric.Peer, metric.Name)] = metric;
    }
}
