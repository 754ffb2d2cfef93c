using Cluster.Consensus.Services;

namespace Cluster.Consensus.Status;

/// <summary>Takes a peer's report (<c>PinInfo</c> in wire form) apart: what all peers share, and what is the peer's.</summary>
internal static class StatusParts
{
    /// <summary>Writes what is the same on all peers as fields of a <c>GlobalPinInfo</c>.</summary>
    /// <exception cref="FormatException">The report is damaged.</exception>
    internal static void WriteShared(ReadOnlySpan<byte> report, RawMessage global)
    {
        var fields = new WireFields(report);
        while (fields.Next())
        {
            switch (fields.Field)
            {
                // cid, name: the same number in both.
                case 1 or 2:
                    global.Raw(fields.Whole);
                    break;

                // allocations 12 → 3, origins 13 → 4, created 14 → 5, metadata 15 → 6.
                case >= 12 and <= 15:
                    global.Field(fields.Field - 9, fields.Content);
                    break;

                // in_pinset 16 → 8.
                case 16:
                    global.Number(8, fields.Number);
                    break;
            }
        }
    }

    /// <summary>Writes the peer's own part: status, timestamp, error, attempts, priority.</summary>
    internal static void WriteOwn(ReadOnlySpan<byte> report, RawMessage entry)
    {
        var fields = new WireFields(report);
        while (fields.Next())
        {
            if (fields.Field is >= 7 and <= 11)
                entry.Raw(fields.Whole);
        }
    }
}
