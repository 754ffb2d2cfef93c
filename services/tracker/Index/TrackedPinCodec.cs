using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Cluster.Tracker.Core;
using Ipld;

namespace Cluster.Tracker.Index;

/// <summary>
/// Rows of the index as bytes: state, flags, kind, then the times (ticks, UTC), the small numbers as varints, the optional parts that
/// the flags announce, the error, and the details up to the end. A change of this layout needs a new <see cref="PinIndex.Format"/>.
/// </summary>
internal static class TrackedPinCodec
{
    private const byte PriorityFlag = 1;
    private const byte DaemonAwayFlag = 2;
    private const byte MayHoldFlag = 4;
    private const byte RetryFlag = 8;
    private const byte UpdateFlag = 16;
    private const int FixedLength = 3 + 8 + 8;

    /// <summary>Longest error text that is kept, in bytes: a daemon may send a whole page.</summary>
    private const int MaxErrorBytes = 4096;

    /// <summary>The state of a row, without reading the rest.</summary>
    public static PinState StateOf(ReadOnlySpan<byte> row) => (PinState)row[0];

    /// <summary>Appends a row.</summary>
    public static void Write(TrackedPin pin, ArrayBufferWriter<byte> target)
    {
        byte flags = 0;
        if (pin.Priority)
            flags |= PriorityFlag;
        if (pin.DaemonAway)
            flags |= DaemonAwayFlag;
        if (pin.MayHold)
            flags |= MayHoldFlag;
        if (pin.RetryAt is not null)
            flags |= RetryFlag;
        if (pin.PinUpdate is not null)
            flags |= UpdateFlag;

        var head = target.GetSpan(FixedLength);
        head[0] = (byte)pin.State;
        head[1] = flags;
        head[2] = (byte)pin.Kind;
        BinaryPrimitives.WriteInt64LittleEndian(head[3..], pin.Since.UtcTicks);
        BinaryPrimitives.WriteInt64LittleEndian(head[11..], pin.Created.UtcTicks);
        target.Advance(FixedLength);
        WriteVarint(target, (uint)(pin.MaxDepth << 1 ^ pin.MaxDepth >> 31));
        WriteVarint(target, (uint)pin.Attempts);
        WriteVarint(target, pin.Generation);
        if (pin.RetryAt is { } retryAt)
        {
            BinaryPrimitives.WriteInt64LittleEndian(target.GetSpan(8), retryAt.UtcTicks);
            target.Advance(8);
        }

        if (pin.PinUpdate is { } update)
            WriteBytes(target, update.Bytes);
        WriteError(target, pin.Error);
        target.Write(pin.Details.Span);
    }

    /// <summary>Reads a row.</summary>
    /// <exception cref="InvalidDataException">The row is damaged.</exception>
    public static TrackedPin Read(Cid cid, ReadOnlySpan<byte> row)
    {
        try
        {
            return ReadRow(cid, row);
        }
        catch (Exception e) when (e is IndexOutOfRangeException or ArgumentOutOfRangeException or FormatException)
        {
            throw new InvalidDataException(
                $"the tracker's row of {cid} is damaged; stop the peer and remove the folder tracker in its configuration folder: "
                + "what it held is read anew from the pinset and the daemon", e);
        }
    }

    private static TrackedPin ReadRow(Cid cid, ReadOnlySpan<byte> row)
    {
        if (row[0] is 0 or >= (byte)PinState.Pinning)
            throw new FormatException("unknown state");
        var flags = row[1];
        var at = FixedLength;
        var depth = ReadVarint(row, ref at);
        var attempts = (int)ReadVarint(row, ref at);
        var generation = ReadVarint(row, ref at);
        DateTimeOffset? retryAt = null;
        if ((flags & RetryFlag) != 0)
        {
            retryAt = Time(row[at..]);
            at += 8;
        }

        Cid? update = (flags & UpdateFlag) != 0 ? Cid.FromBytes(ReadBytes(row, ref at)) : null;
        var error = ReadBytes(row, ref at);
        return new TrackedPin
        {
            Cid = cid,
            State = (PinState)row[0],
            Kind = (PinKind)row[2],
            Since = Time(row[3..]),
            Created = Time(row[11..]),
            Priority = (flags & PriorityFlag) != 0,
            DaemonAway = (flags & DaemonAwayFlag) != 0,
            MayHold = (flags & MayHoldFlag) != 0,
            MaxDepth = (int)(depth >> 1) ^ -(int)(depth & 1),
            Attempts = attempts,
            Generation = generation,
            RetryAt = retryAt,
            PinUpdate = update,
            Error = error.IsEmpty ? string.Empty : Encoding.UTF8.GetString(error),
            Details = row[at..].ToArray(),
        };
    }

    private static DateTimeOffset Time(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadInt64LittleEndian(bytes), TimeSpan.Zero);

    private static void WriteError(ArrayBufferWriter<byte> target, string error)
    {
        if (error.Length == 0)
        {
            WriteVarint(target, 0);
            return;
        }

        Span<byte> text = stackalloc byte[MaxErrorBytes];
        Encoding.UTF8.GetEncoder().Convert(error, text, flush: true, out _, out var length, out _);
        WriteBytes(target, text[..length]);
    }

    private static void WriteBytes(ArrayBufferWriter<byte> target, ReadOnlySpan<byte> bytes)
    {
        WriteVarint(target, (uint)bytes.Length);
        target.Write(bytes);
    }

    private static ReadOnlySpan<byte> ReadBytes(ReadOnlySpan<byte> row, ref int at)
    {
        var length = (int)ReadVarint(row, ref at);
        var bytes = row.Slice(at, length);
        at += length;
        return bytes;
    }

    private static void WriteVarint(ArrayBufferWriter<byte> target, uint value)
    {
        var span = target.GetSpan(5);
        var length = 0;
        for (; value >= 0x80; value >>= 7)
            span[length++] = (byte)(value | 0x80);
        span[length++] = (byte)value;
        target.Advance(length);
    }

    private static uint ReadVarint(ReadOnlySpan<byte> row, ref int at)
    {
        uint value = 0;
        for (var shift = 0; shift < 35; shift += 7)
        {
            var next = row[at++];
            value |= (uint)(next & 0x7f) << shift;
            if (next < 0x80)
                return value;
        }

        throw new FormatException("overlong number");
    }
}
