using System.Buffers;
using System.Numerics;

namespace Ipld;

/// <summary>Content-defined cuts by a Rabin fingerprint over a window of 16 bytes, as go boxo makes them.</summary>
internal sealed class RabinChunker : Chunker
{
    private const int WindowSize = 16;
    private const int ReadSize = 512 * 1024;
    private const ulong Polynomial = 17437180132763653;

    private static readonly int Degree = 63 - BitOperations.LeadingZeroCount(Polynomial);
    private static readonly ulong[] LeavingWindow = LeavingTable();
    private static readonly ulong[] Reduction = ReductionTable();

    private readonly Stream _source;
    private readonly long _min;
    private readonly long _max;
    private readonly ulong _mask;
    private readonly byte[] _window = new byte[WindowSize];
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(2 * ReadSize);
    private int _start;
    private int _end;
    private bool _ended;

    public RabinChunker(Stream source, long average)
        : this(source, average / 3, average, average + (average / 2))
    {
    }

    public RabinChunker(Stream source, long min, long average, long max)
    {
        _source = source;
        _min = min;
        _max = max;
        _mask = average > 0 ? (1UL << BitOperations.Log2((ulong)average)) - 1 : ulong.MaxValue;
    }

    public override async ValueTask<bool> MoveNextAsync(CancellationToken cancellationToken)
    {
        Current = default;
        Array.Clear(_window);
        // The original begins every piece by sliding the byte 1 into an empty window.
        _window[0] = 1;
        var position = 1;
        ulong digest = 1;

        // No cut before the minimum, and the fingerprint starts 16 bytes ahead of it. A minimum below 16 wraps around in
        // the original: such a chunker never cuts.
        var neverCuts = _min < WindowSize;
        var scanned = neverCuts ? 0 : (int)_min - WindowSize;
        while (true)
        {
            if (!neverCuts && Scan(ref scanned, ref position, ref digest, out var length))
            {
                Take(length);
                return true;
            }

            if (_ended || !await ReadMoreAsync(cancellationToken).ConfigureAwait(false))
            {
                Take(_end - _start);
                return Current.Length > 0;
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }
    }

    private bool Scan(ref int scanned, ref int position, ref ulong digest, out int length)
    {
        var data = _buffer.AsSpan(_start, _end - _start);
        var shift = Degree - 8;
        for (; scanned < data.Length; scanned++)
        {
            var b = data[scanned];
            digest ^= LeavingWindow[_window[position]];
            _window[position] = b;
            position = (position + 1) % WindowSize;
            var index = (int)(digest >> shift) & 0xff;
            digest = ((digest << 8) | b) ^ Reduction[index];

            length = scanned + 1;
            if (length >= _min && ((digest & _mask) == 0 || length >= _max))
            {
                return true;
            }
        }

        length = 0;
        return false;
    }

    private void Take(int length)
    {
        if (length > MaxBlockSize)
        {
            throw new ImportException("object size limit exceeded");
        }

        Current = _buffer.AsMemory(_start, length);
        _start += length;
    }

    private async ValueTask<bool> ReadMoreAsync(CancellationToken cancellationToken)
    {
        var kept = _end - _start;
        if (kept > MaxBlockSize)
        {
            throw new ImportException("object size limit exceeded");
        }

        if (_buffer.Length - kept < ReadSize)
        {
            var larger = ArrayPool<byte>.Shared.Rent(kept + (2 * ReadSize));
            _buffer.AsSpan(_start, kept).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }
        else
        {
            _buffer.AsSpan(_start, kept).CopyTo(_buffer);
        }

        _start = 0;
        _end = kept;
        var read = await FillAsync(_source, _buffer.AsMemory(kept, ReadSize), cancellationToken).ConfigureAwait(false);
        _end += read;
        _ended = read == 0;
        return read > 0;
    }

    private static ulong[] LeavingTable()
    {
        var table = new ulong[256];
        for (var b = 0; b < 256; b++)
        {
            var hash = Append(0, (byte)b);
            for (var i = 0; i < WindowSize - 1; i++)
            {
                hash = Append(hash, 0);
            }

            table[b] = hash;
        }

        return table;
    }

    private static ulong[] ReductionTable()
    {
        var table = new ulong[256];
        for (var b = 0UL; b < 256; b++)
        {
            table[b] = Remainder(b << Degree) | (b << Degree);
        }

        return table;
    }

    private static ulong Append(ulong hash, byte b) => Remainder((hash << 8) | b);

    // Remainder of the division of polynomials over GF(2).
    private static ulong Remainder(ulong value)
    {
        while (value != 0)
        {
            var difference = 63 - BitOperations.LeadingZeroCount(value) - Degree;
            if (difference < 0)
            {
                break;
            }

            value ^= Polynomial << difference;
        }

        return value;
    }
}
