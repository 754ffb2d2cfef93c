using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Cluster.Gateway.Http;

/// <summary>A growing buffer of pooled memory that is written from the front and emptied as a whole.</summary>
public sealed class ByteBuffer : IBufferWriter<byte>, IDisposable
{
    private byte[] bytes;

    /// <summary>Rents the first memory.</summary>
    public ByteBuffer(int capacity = 4096) => bytes = ArrayPool<byte>.Shared.Rent(capacity);

    /// <summary>Bytes written.</summary>
    public int Length { get; private set; }

    /// <summary>Bytes that fit without growing.</summary>
    public int Capacity => bytes.Length;

    /// <summary>What has been written; valid until the next write.</summary>
    public ReadOnlySpan<byte> Written => bytes.AsSpan(0, Length);

    /// <summary>As <see cref="Written"/>.</summary>
    public ReadOnlyMemory<byte> WrittenMemory => bytes.AsMemory(0, Length);

    /// <summary>The written part, to be changed in place.</summary>
    [SuppressMessage("Design", "CA1024", Justification = "hands out mutable memory")]
    public Span<byte> GetWritten() => bytes.AsSpan(0, Length);

    /// <summary>Forgets what was written, behind the given length.</summary>
    public void Truncate(int length = 0) => Length = length;

    /// <inheritdoc/>
    public void Advance(int count) => Length += count;

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return bytes.AsMemory(Length);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return bytes.AsSpan(Length);
    }

    /// <summary>Appends bytes.</summary>
    public void Append(ReadOnlySpan<byte> more)
    {
        Reserve(more.Length);
        more.CopyTo(bytes.AsSpan(Length));
        Length += more.Length;
    }

    /// <summary>Appends one byte.</summary>
    public void Append(byte one)
    {
        if (Length == bytes.Length) Reserve(1);
        bytes[Length++] = one;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (bytes.Length == 0) return;
        ArrayPool<byte>.Shared.Return(bytes);
        bytes = [];
        Length = 0;
    }

    private void Reserve(int count)
    {
        if (bytes.Length - Length >= count) return;
        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(bytes.Length * 2, checked(Length + count)));
        bytes.AsSpan(0, Length).CopyTo(larger);
        if (bytes.Length > 0) ArrayPool<byte>.Shared.Return(bytes);
        bytes = larger;
    }
}
