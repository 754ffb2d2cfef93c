using System.Diagnostics.Metrics;
using Cluster.Tracker.Core;

namespace Cluster.Tracker;

/// <summary>The tracker's gauges (spec/observability.md 3.1), read when somebody asks.</summary>
internal static class TrackerMetrics
{
    private static readonly Meter Meter = new("Cluster.Tracker");

    public static void Register(PinTracker tracker)
    {
        Meter.CreateObservableGauge(
            "ipfscluster_pins_pin_queued", () => Queued(tracker.Counts), description: "Current number of pins queued for pinning");
        Meter.CreateObservableGauge(
            "ipfscluster_pins_pinning", () => tracker.Counts.Pinning, description: "Current number of pins currently pinning");
        Meter.CreateObservableGauge(
            "ipfscluster_pins_pin_error", () => tracker.Count(PinState.PinError), description: "Current number of pins in pin_error state");
        Meter.CreateObservableGauge(
            "ipfscluster_pins_unpin_queued", () => tracker.Counts.UnpinQueued, description: "Current number of pins queued for unpinning");
        Meter.CreateObservableGauge(
            "ipfscluster_pins_unpinning", () => tracker.Counts.Unpinning, description: "Current number of pins currently unpinning");
        Meter.CreateObservableGauge(
            "ipfscluster_pins_unpin_error", () => tracker.Count(PinState.UnpinError),
            description: "Current number of pins in unpin_error state");
        Meter.CreateObservableGauge(
            "ipfscluster_pins_unexpectedly_unpinned", () => tracker.Count(PinState.UnexpectedlyUnpinned),
            description: "Current number of pins that the IPFS daemon lost");
    }

    private static long Queued(QueueCounts counts) => (long)counts.PriorityQueued + counts.NormalQueued;
}
