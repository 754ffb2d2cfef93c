using System.Buffers;
using Libp2p;
using Libp2p.Identify;
using Libp2p.Muxing;
using Libp2p.Negotiation;
using Libp2p.Resolving;
using Libp2p.Security.Noise;
using Libp2p.Security.Tls;

namespace Fuzz.Libp2p;

/// <summary>Messages of multistream-select, and messages with a length before them.</summary>
public static class NegotiationTarget
{
    /// <summary>The target.</summary>
    public static void Fuzz(ReadOnlySpan<byte> input)
    {
        var buffer = new ReadOnlySequence<byte>(input.ToArray());
        try
        {
            while (MultistreamToken.TryRead(ref buffer, out string text)) Check.That(text.Length < MultistreamToken.MaxLength, "a token over the limit");
        }
        catch (NegotiationException)
        {
            // No negotiation.
        }
        try
        {
            if (FrameExtensions.TrySplit(new ReadOnlySequence<byte>(input.ToArray()), 100, out var frame)) Check.That(frame.Length <= 100, "a message over the limit");
        }
        catch (FrameException)
        {
            // No message.
        }
    }
}

/// <summary>What a peer says about itself: Noise payload, identify, signed records, DNS answers.</summary>
public static class PeerMessageTarget
{
    /// <summary>The target.</summary>
    public static void Fuzz(ReadOnlySpan<byte> input)
    {
        try
        {
            NoisePayload.Parse(input).Verify(new byte[32], null);
            Check.That(false, "a payload without a genuine signature is accepted");
        }
        catch (HandshakeException)
        {
            // As it should be.
        }
        try
        {
            new IdentifyMessage().Merge(input);
        }
        catch (FrameException)
        {
            // No message.
        }
        if (SignedEnvelope.TryParse(input, out var envelope)) _ = envelope.ToBytes();
        _ = PeerRecord.TryOpen(input, out _);
        _ = DnsMessage.TryReadTexts(input, input.Length > 1 ? (ushort)(input[0] << 8 | input[1]) : (ushort)0, "x", out _);
        try
        {
            using var certificate = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificate(input);
            TlsCertificate.Verify(certificate, 1, null, DateTimeOffset.UtcNow);
        }
        catch (Exception e) when (e is System.Security.Cryptography.CryptographicException or HandshakeException)
        {
            // No certificate, or none of a peer.
        }
    }
}

/// <summary>The frames of a yamux session, from the other side.</summary>
public static class YamuxTarget
{
    /// <summary>The target.</summary>
    public static void Fuzz(ReadOnlySpan<byte> input)
    {
        var session = new YamuxSession(new OneWayStream(input.ToArray()), client: false, new YamuxOptions { KeepAlive = false }, UnlimitedMemory.Instance, TimeProvider.System);
        session.Start();
        var reason = session.Closed.WaitAsync(TimeSpan.FromSeconds(10)).GetAwaiter().GetResult();
        Check.That(reason is ConnectionClosedException { InnerException: null or IOException }, $"the session ended with {reason}");
        Check.That(session.StreamCount == 0, "streams outlive their session");
    }
}

/// <summary>Transport frames of Noise under a known key, and the first message of a handshake.</summary>
public static class NoiseTarget
{
    /// <summary>The target.</summary>
    public static void Fuzz(ReadOnlySpan<byte> input)
    {
        byte[] bytes = input.ToArray();
        try
        {
            new NoiseStream(new OneWayStream(bytes), new byte[32], new byte[32]).CopyToAsync(Stream.Null).GetAwaiter().GetResult();
        }
        catch (IOException)
        {
            // Not sealed with this key, or cut.
        }
        try
        {
            using var handshake = new NoiseHandshake(initiator: true, X25519KeyPair.Generate(), X25519KeyPair.Generate());
            handshake.WriteFirst(new byte[32]);
            handshake.ReadSecond(bytes, new byte[bytes.Length]);
            Check.That(false, "a made-up handshake succeeds");
        }
        catch (HandshakeException)
        {
            // As it should be.
        }
    }
}

/// <summary>Gives its bytes, then the end; takes everything.</summary>
internal sealed class OneWayStream(byte[] bytes) : Stream
{
    private int position;

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => bytes.Length;
    public override long Position { get => position; set => throw new NotSupportedException(); }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(Read(buffer.Span));

    public override int Read(Span<byte> buffer)
    {
        int n = Math.Min(buffer.Length, bytes.Length - position);
        bytes.AsSpan(position, n).CopyTo(buffer);
        position += n;
        return n;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => default;

    public override void Write(byte[] buffer, int offset, int count)
    {
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
