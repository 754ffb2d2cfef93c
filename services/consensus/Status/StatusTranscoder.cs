using Cluster.Consensus.Services;
using Google.Protobuf;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Status;

/// <summary>
/// Makes a <c>GlobalPinInfoBatch</c> of one peer's page without decoding it: what is the same on all peers moves to the global status,
/// the rest into its only entry. A list of 300,000 statuses a second leaves no time for objects.
/// </summary>
internal sealed class StatusTranscoder : IDisposable
{
    private readonly RawMessage _entry = new(512);
    private readonly RawMessage _global = new(1024);
    private readonly byte[] _identity;

    /// <param name="identity">The peer's own fields, the same in all entries.</param>
    internal StatusTranscoder(V1.PinInfo identity) => _identity = identity.ToByteArray();

    /// <summary>Adds the items of a page (<c>repeated PinInfo items = 1</c>) to a batch (<c>repeated GlobalPinInfo items = 1</c>).</summary>
    /// <exception cref="FormatException">The page is no protobuf.</exception>
    internal void Transcode(ReadOnlySpan<byte> page, RawMessage batch)
    {
        var fields = new WireFields(page);
        while (fields.Next())
        {
            if (fields.Field == 1)
                TranscodeItem(fields.Content, batch);
        }
    }

    public void Dispose()
    {
        _entry.Dispose();
        _global.Dispose();
    }

    private void TranscodeItem(ReadOnlySpan<byte> item, RawMessage batch)
    {
        _global.Clear();
        _entry.Clear();
        _entry.Raw(_identity);
        var fields = new WireFields(item);
        while (fields.Next())
        {
            switch (fields.Field)
            {
                // cid, name: the same number in both.
                case 1 or 2:
                    _global.Raw(fields.Whole);
                    break;

                // allocations 12 → 3, origins 13 → 4, created 14 → 5, metadata 15 → 6.
                case >= 12 and <= 15:
                    _global.Field(fields.Field - 9, fields.Content);
                    break;

                // in_pinset 16 → 8.
                case 16:
                    _global.Number(8, fields.Number);
                    break;

                // status, timestamp, error, attempts, priority stay with the peer.
                case >= 7 and <= 11:
                    _entry.Raw(fields.Whole);
                    break;
            }
        }

        _global.Field(7, _entry.Span);
        batch.Field(1, _global.Span);
    }
}
