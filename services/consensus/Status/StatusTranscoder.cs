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
    private const int Varint = 0;
    private const int Bytes = 2;

    private readonly RawMessage _entry = new(512);
    private readonly RawMessage _global = new(1024);
    private readonly byte[] _identity;

    /// <param name="identity">The peer's own fields, the same in all entries.</param>
    internal StatusTranscoder(V1.PinInfo identity) => _identity = identity.ToByteArray();

    /// <summary>Adds the items of a page (<c>repeated PinInfo items = 1</c>) to a batch (<c>repeated GlobalPinInfo items = 1</c>).</summary>
    /// <exception cref="FormatException">The page is no protobuf.</exception>
    internal void Transcode(ReadOnlySpan<byte> page, RawMessage batch)
    {
        while (TryNext(ref page, out var field, out _, out var content))
        {
            if (field == 1)
                TranscodeItem(content, batch);
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
        while (TryNext(ref item, out var field, out var whole, out var content))
        {
            switch (field)
            {
                // cid, name: the same number in both.
                case 1 or 2:
                    _global.Raw(whole);
                    break;

                // allocations 12 → 3, origins 13 → 4, created 14 → 5, metadata 15 → 6.
                case >= 12 and <= 15:
                    _global.Field(field - 9, content);
                    break;

                // in_pinset 16 → 8.
                case 16:
                    _global.Number(8, content.IsEmpty ? 0UL : content[0]);
                    break;

                // status, timestamp, error, attempts, priority stay with the peer.
                case >= 7 and <= 11:
                    _entry.Raw(whole);
                    break;
            }
        }

        _global.Field(7, _entry.Span);
        batch.Field(1, _global.Span);
    }

    private static bool TryNext(ref ReadOnlySpan<byte> rest, out int field, out ReadOnlySpan<byte> whole, out ReadOnlySpan<byte> content)
    {
        field = 0;
        whole = default;
        content = default;
        if (rest.IsEmpty)
            return false;
        var start = rest;
        var tag = TakeVarint(ref rest);
        field = (int)(tag >> 3);
        switch ((int)(tag & 7))
        {
            case Varint:
                var before = rest;
                TakeVarint(ref rest);
                content = before[..(before.Length - rest.Length)];
                break;
            case Bytes:
                var length = TakeVarint(ref rest);
                if (length > (ulong)rest.Length)
                    throw Malformed();
                content = rest[..(int)length];
                rest = rest[(int)length..];
                break;
            default:
                throw Malformed();
        }

        whole = start[..(start.Length - rest.Length)];
        return true;
    }

    private static ulong TakeVarint(ref ReadOnlySpan<byte> rest)
    {
        ulong value = 0;
        for (var i = 0; i < 10 && i < rest.Length; i++)
        {
            value |= (ulong)(rest[i] & 0x7f) << (7 * i);
            if (rest[i] >= 0x80)
                continue;
            rest = rest[(i + 1)..];
            return value;
        }

        throw Malformed();
    }

    private static FormatException Malformed() => new("the tracker's answer is malformed");
}
