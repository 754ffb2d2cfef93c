using Cluster.Contracts.V1;
using Cluster.Tracker.Core;
using Google.Protobuf;
using Ipld;

namespace Cluster.Tracker.State;

/// <summary>Entries of the pinset as they come over the wire, in the tracker's terms.</summary>
internal static class PinMapping
{
    /// <summary>
    /// What an entry means for this peer. "Everywhere" is decided by both factors, not by an empty list of allocations
    /// (spec/behaviour.md 1.1).
    /// </summary>
    public static WantedPin ToWanted(Cid cid, Pin pin, ReadOnlySpan<byte> self)
    {
        var options = pin.Options ?? new PinOptions();
        var here = options is { ReplicationFactorMin: -1, ReplicationFactorMax: -1 };
        foreach (var peer in pin.Allocations)
            here |= peer.Span.SequenceEqual(self);
        return new WantedPin
        {
            Cid = cid,
            Kind = pin.Type switch
            {
                PinType.Meta => PinKind.Meta,
                PinType.ClusterDag => PinKind.ClusterDag,
                PinType.Shard => PinKind.Shard,
                _ => PinKind.Data,
            },
            HeldHere = here,
            MaxDepth = pin.MaxDepth,
            PinUpdate = !options.PinUpdate.IsEmpty && Cid.TryFromBytes(options.PinUpdate.Span, out var source, out _) ? source : null,
            Created = ToInstant(pin.Timestamp),
            Details = Details(pin, options),
        };
    }

    /// <summary>
    /// An instant; the beginning of time when absent. What lies beyond the calendar becomes its end: a peer that counts milliseconds
    /// instead of seconds must not bring this one down.
    /// </summary>
    public static DateTimeOffset ToInstant(Time? time)
    {
        if (time is null)
            return DateTimeOffset.UnixEpoch;
        var ticks = (Int128)time.Seconds * TimeSpan.TicksPerSecond + time.Nanos / 100;
        var unix = DateTimeOffset.UnixEpoch.Ticks;
        return new DateTimeOffset((long)Int128.Clamp(ticks + unix, DateTimeOffset.MinValue.Ticks, DateTimeOffset.MaxValue.Ticks), TimeSpan.Zero);
    }

    /// <summary>An instant as it goes over the wire.</summary>
    public static Time ToTime(DateTimeOffset instant)
    {
        var ticks = (instant - DateTimeOffset.UnixEpoch).Ticks;
        var seconds = Math.DivRem(ticks, TimeSpan.TicksPerSecond, out var rest);
        if (rest < 0)
        {
            seconds--;
            rest += TimeSpan.TicksPerSecond;
        }

        return new Time { Seconds = seconds, Nanos = (int)rest * 100 };
    }

    /// <summary>What every status of the item shows beside the status itself, as the wire has it: it is sent far more often than read.</summary>
    private static byte[] Details(Pin pin, PinOptions options)
    {
        var details = new PinInfo { Name = options.Name, Created = pin.Timestamp, InPinset = true };
        details.Allocations.Add(pin.Allocations);
        details.Origins.Add(options.Origins);
        details.Metadata.Add(options.Metadata);
        return details.ToByteArray();
    }
}
