using System.Buffers.Binary;
using Cluster.Model;

namespace Cluster.PinState;

/// <summary>What is known of the state without looking at its pins; written with every change.</summary>
public sealed record StateTotals
{
    internal const int Size = 1 + 16 + 3 * 8 + Types * 8;
    private const int Types = 5;

    private readonly ulong[] _counts;

    internal StateTotals(byte generation, ReadOnlyMemory<byte> epoch, ulong sequence, ulong forgotten, ulong removals, ulong[] counts)
    {
        Generation = generation;
        Epoch = epoch;
        Sequence = sequence;
        Forgotten = forgotten;
        Removals = removals;
        _counts = counts;
    }

    /// <summary>Changes when the state begins another life (import, cleanup): numbers of different epochs do not compare.</summary>
    public ReadOnlyMemory<byte> Epoch { get; }

    /// <summary>Number of the last change; 0 before the first.</summary>
    public ulong Sequence { get; }

    /// <summary>Removals up to this number are no longer in the change log.</summary>
    public ulong Forgotten { get; }

    /// <summary>Pins of all types.</summary>
    public ulong Count
    {
        get
        {
            ulong sum = 0;
            foreach (var count in _counts)
                sum += count;
            return sum;
        }
    }

    internal byte Generation { get; }

    internal ulong Removals { get; }

    /// <summary>Pins of the types in a mask.</summary>
    public ulong CountOf(PinType types)
    {
        ulong sum = 0;
        for (var i = 0; i < Types; i++)
        {
            if ((PinTypes.FromStoredIndex((ulong)i) & types) != 0)
                sum += _counts[i];
        }

        return sum;
    }

    internal ulong[] CopyCounts() => [.. _counts];

    internal void Write(Span<byte> target)
    {
        target[0] = Generation;
        Epoch.Span.CopyTo(target[1..]);
        target = target[17..];
        BinaryPrimitives.WriteUInt64LittleEndian(target, Sequence);
        BinaryPrimitives.WriteUInt64LittleEndian(target[8..], Forgotten);
        BinaryPrimitives.WriteUInt64LittleEndian(target[16..], Removals);
        for (var i = 0; i < Types; i++)
            BinaryPrimitives.WriteUInt64LittleEndian(target[(24 + i * 8)..], _counts[i]);
    }

    internal static StateTotals Read(ReadOnlySpan<byte> source)
    {
        if (source.Length != Size)
            throw new FormatException("the totals of the pinset are malformed");
        var counts = new ulong[Types];
        var numbers = source[17..];
        for (var i = 0; i < Types; i++)
            counts[i] = BinaryPrimitives.ReadUInt64LittleEndian(numbers[(24 + i * 8)..]);
        return new StateTotals(
            source[0],
            source[1..17].ToArray(),
            BinaryPrimitives.ReadUInt64LittleEndian(numbers),
            BinaryPrimitives.ReadUInt64LittleEndian(numbers[8..]),
            BinaryPrimitives.ReadUInt64LittleEndian(numbers[16..]),
            counts);
    }

    internal static StateTotals Fresh(byte generation = 0, ulong sequence = 0) =>
        new(generation, Guid.NewGuid().ToByteArray(), sequence, sequence, 0, new ulong[Types]);
}
