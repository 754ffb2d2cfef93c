using System.Buffers.Binary;
using Cluster.Tracker.Core;
using Ipld;

namespace Cluster.Tracker.Index;

/// <summary>
/// Keys of the index: <c>p</c> CID → row; <c>s</c> state CID → nothing; <c>r</c> time CID → nothing (retries, big endian ticks);
/// <c>m</c> name → what the tracker knows of itself.
/// </summary>
internal static class IndexKeys
{
    /// <summary>Longest key whose buffer a caller keeps on the stack; CIDs with inline data may be longer.</summary>
    public const int StackLength = 256;

    public const int RetryHead = 9;

    public static ReadOnlySpan<byte> Rows => "p"u8;

    public static ReadOnlySpan<byte> Retries => "r"u8;

    public static ReadOnlySpan<byte> Own => "m"u8;

    public static int Length(Cid cid) => RetryHead + cid.Bytes.Length;

    public static ReadOnlySpan<byte> Row(Span<byte> buffer, Cid cid)
    {
        buffer[0] = (byte)'p';
        cid.Bytes.CopyTo(buffer[1..]);
        return buffer[..(1 + cid.Bytes.Length)];
    }

    public static ReadOnlySpan<byte> InState(Span<byte> buffer, PinState state, Cid cid)
    {
        buffer[0] = (byte)'s';
        buffer[1] = (byte)state;
        cid.Bytes.CopyTo(buffer[2..]);
        return buffer[..(2 + cid.Bytes.Length)];
    }

    public static ReadOnlySpan<byte> Retry(Span<byte> buffer, DateTimeOffset at, Cid cid)
    {
        buffer[0] = (byte)'r';
        BinaryPrimitives.WriteInt64BigEndian(buffer[1..], at.UtcTicks);
        cid.Bytes.CopyTo(buffer[RetryHead..]);
        return buffer[..(RetryHead + cid.Bytes.Length)];
    }

    public static DateTimeOffset RetryTime(ReadOnlySpan<byte> key) =>
        new(BinaryPrimitives.ReadInt64BigEndian(key[1..]), TimeSpan.Zero);
}
