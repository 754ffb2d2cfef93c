using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Libp2p.Transport;

namespace Libp2p.Security.Noise;

/// <summary>Transport messages of Noise: two bytes of length, cipher text, tag. Nothing is allocated per frame.</summary>
internal sealed class NoiseStream : LayerStream
{
    public const int MaxPlain = ushort.MaxValue - NoiseHandshake.TagSize;

    private const int Prefix = 2;
    private const int Overhead = Prefix + NoiseHandshake.TagSize;

    // As many full frames as one write to the layer beneath carries.
    private const int FramesPerWrite = 4;
    private const int SmallBuffer = 4096;

    private readonly ChaCha20Poly1305 sealing;
    private readonly ChaCha20Poly1305 opening;
    private readonly byte[] sendIv = new byte[12];
    private readonly byte[] receiveIv = new byte[12];
    private ulong sent;
    private ulong received;
    private bool broken;

    // Cipher text that was read ahead: buffer[start..end]. Plain text that did not fit the caller: buffer[plainStart..plainEnd].
    private byte[] buffer = ArrayPool<byte>.Shared.Rent(SmallBuffer);
    private int start;
    private int end;
    private int plainStart;
    private int plainEnd;

    public NoiseStream(Stream inner, ReadOnlySpan<byte> sendKey, ReadOnlySpan<byte> receiveKey) : base(inner)
    {
        sealing = new ChaCha20Poly1305(sendKey);
        opening = new ChaCha20Poly1305(receiveKey);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken = default)
    {
        if (destination.IsEmpty) return 0;
        while (true)
        {
            if (plainEnd > plainStart) return TakePlain(destination.Span);
            if (TryOpen(destination.Span, out int n))
            {
                // An empty frame is legal and is not the end.
                if (n > 0) return n;
                continue;
            }
            int read = await Inner.ReadAsync(buffer.AsMemory(end), cancellationToken);
            if (read == 0) return end == start ? 0 : throw new EndOfStreamException("The connection ended inside a Noise frame.");
            end += read;
        }
    }

    private int TakePlain(Span<byte> destination)
    {
        int n = Math.Min(destination.Length, plainEnd - plainStart);
        buffer.AsSpan(plainStart, n).CopyTo(destination);
        plainStart += n;
        return n;
    }

    /// <summary>Opens the next frame if it is complete, into the destination when it fits; otherwise makes room for the rest of it.</summary>
    private bool TryOpen(Span<byte> destination, out int count)
    {
        count = 0;
        if (broken) throw new HandshakeException("The Noise session is broken by an earlier frame.");
        int held = end - start;
        int frame = held < Prefix ? Prefix : Prefix + BinaryPrimitives.ReadUInt16BigEndian(buffer.AsSpan(start));
        if (held < frame)
        {
            MakeRoom(frame);
            return false;
        }
        int plain = frame - Overhead;
        if (plain < 0) throw Break("The peer sent a Noise frame that is too short for its tag.");
        var sealedText = buffer.AsSpan(start + Prefix, plain);
        var tag = buffer.AsSpan(start + Prefix + plain, NoiseHandshake.TagSize);
        bool direct = plain <= destination.Length;
        BinaryPrimitives.WriteUInt64LittleEndian(receiveIv.AsSpan(4), received);
        try
        {
            opening.Decrypt(receiveIv, sealedText, tag, direct ? destination[..plain] : sealedText);
        }
        catch (AuthenticationTagMismatchException)
        {
            throw Break("The peer sent a Noise frame that does not authenticate.");
        }
        received++;
        if (!direct) (plainStart, plainEnd) = (start + Prefix, start + Prefix + plain);
        start += frame;
        if (direct && start == end) start = end = 0;
        count = direct ? plain : TakePlain(destination);
        return true;
    }

    private void MakeRoom(int frame)
    {
        // Room for the frame at hand and, under load, for the next one as well.
        int wanted = frame <= SmallBuffer ? SmallBuffer : 2 * (ushort.MaxValue + Prefix);
        if (buffer.Length >= wanted)
        {
            if (start == 0 || buffer.Length - start >= frame) return;
            buffer.AsSpan(start, end - start).CopyTo(buffer);
        }
        else
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(wanted);
            buffer.AsSpan(start, end - start).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = larger;
        }
        end -= start;
        start = 0;
    }

    private HandshakeException Break(string message)
    {
        broken = true;
        return new HandshakeException(message);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        while (!source.IsEmpty)
        {
            int batch = Math.Min(source.Length, FramesPerWrite * MaxPlain);
            int frames = (batch + MaxPlain - 1) / MaxPlain;
            byte[] wire = ArrayPool<byte>.Shared.Rent(batch + frames * Overhead);
            try
            {
                int n = Seal(source.Span[..batch], wire);
                await Inner.WriteAsync(wire.AsMemory(0, n), cancellationToken);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(wire);
            }
            source = source[batch..];
        }
    }

    private int Seal(ReadOnlySpan<byte> source, Span<byte> wire)
    {
        int n = 0;
        while (!source.IsEmpty)
        {
            int plain = Math.Min(source.Length, MaxPlain);
            BinaryPrimitives.WriteUInt16BigEndian(wire[n..], (ushort)(plain + NoiseHandshake.TagSize));
            BinaryPrimitives.WriteUInt64LittleEndian(sendIv.AsSpan(4), sent++);
            sealing.Encrypt(sendIv, source[..plain], wire.Slice(n + Prefix, plain), wire.Slice(n + Prefix + plain, NoiseHandshake.TagSize));
            n += plain + Overhead;
            source = source[plain..];
        }
        return n;
    }

}
