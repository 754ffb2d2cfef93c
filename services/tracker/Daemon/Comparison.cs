using Cluster.Contracts.V1;
using Cluster.Tracker.Core;
using Grpc.Core;
using Ipld;

namespace Cluster.Tracker.Daemon;

/// <summary>What a comparison with the daemon's pins found.</summary>
/// <param name="Compared">Items of this peer that were looked for.</param>
/// <param name="DaemonPins">Pins that the daemon listed.</param>
/// <param name="Lost">Items that became unexpectedly unpinned, or still were.</param>
/// <param name="Found">Items that turned out to be pinned after all.</param>
/// <param name="Spared">Items that waited to be pinned, and are: the daemon need not be asked for each.</param>
public readonly record struct ComparisonResult(long Compared, long DaemonPins, long Lost, long Found, long Spared);

/// <summary>
/// Compares what this peer should hold with what its daemon lists: one listing, whatever the number of items. Direct pins and cluster
/// DAGs are compared as such; v1.1.6 lists recursive pins only and takes them for lost (13.5).
/// </summary>
public sealed class Comparison(PinTracker tracker, ConnectorLink link, TimeProvider time)
{
    private const int PinsInMemory = 4 << 20;
    private const int ItemsPerStep = 256;

    /// <summary>Brings the index up to date; with <paramref name="recover"/> lost items are queued again.</summary>
    /// <param name="recover">Whether what is lost is to be pinned again.</param>
    /// <param name="waiting">Whether to look for what waits to be pinned too.</param>
    /// <param name="most">Gives up (null) when the daemon has more pins than this.</param>
    /// <param name="cancellation">Ends it; what was found until then stands.</param>
    /// <exception cref="RpcException">The daemon, or the connector, failed.</exception>
    public async Task<ComparisonResult?> RunAsync(bool recover, bool waiting, int? most, CancellationToken cancellation)
    {
        var result = default(ComparisonResult);
        var pins = new DaemonPins(PinsInMemory);
        while (true)
        {
            var asOf = time.GetUtcNow();
            var listed = await ListAsync(pins, most, cancellation);
            if (listed is null)
                return null;
            var part = Compare(pins, asOf, recover, waiting, cancellation);
            result = new ComparisonResult(
                result.Compared + part.Compared, listed.Value, result.Lost + part.Lost, result.Found + part.Found, result.Spared + part.Spared);
            if (pins.To == ulong.MaxValue)
                return result;
            pins = new DaemonPins(PinsInMemory, pins.To + 1, pins.Seed);
        }
    }

    private async Task<long?> ListAsync(DaemonPins pins, int? most, CancellationToken cancellation)
    {
        using var call = link.ListPins(cancellation);
        var listed = 0L;
        while (await call.ResponseStream.MoveNext(cancellation))
        {
            foreach (var item in call.ResponseStream.Current.Items)
                pins.Add(item.Cid.Span, (DaemonPinKind)(int)item.Pin);
            listed += call.ResponseStream.Current.Items.Count;
            if (listed > most)
                return null;
        }

        return listed;
    }

    private ComparisonResult Compare(DaemonPins pins, DateTimeOffset asOf, bool recover, bool waiting, CancellationToken cancellation)
    {
        var result = default(ComparisonResult);
        var step = new List<(Cid, DaemonPinKind)>(ItemsPerStep);
        PinState[] states = waiting
            ? [PinState.Pinned, PinState.UnexpectedlyUnpinned, PinState.PinQueued]
            : [PinState.Pinned, PinState.UnexpectedlyUnpinned];
        var (reader, _) = tracker.OpenListing(states);
        using (reader)
        {
            while (reader.MoveNext())
            {
                var pin = reader.Current;
                var wanted = pin.MaxDepth == 0 ? DaemonPinKind.Direct : DaemonPinKind.Recursive;
                if (pins.Has(pin.Cid, wanted) is not { } has)
                    continue;
                if (pin.State == PinState.PinQueued)
                {
                    if (!has || pin.Since > asOf)
                        continue;
                    result = result with { Spared = result.Spared + 1 };
                }
                else
                {
                    result = result with { Compared = result.Compared + 1 };
                    if (!has)
                        result = result with { Lost = result.Lost + 1 };
                    else if (pin.State != PinState.Pinned)
                        result = result with { Found = result.Found + 1 };
                    else
                        continue;
                }

                step.Add((pin.Cid, has ? wanted : DaemonPinKind.Unpinned));
                if (step.Count < ItemsPerStep)
                    continue;
                cancellation.ThrowIfCancellationRequested();
                tracker.Observe(step, asOf, recover);
                step.Clear();
            }
        }

        tracker.Observe(step, asOf, recover);
        return result;
    }
}
