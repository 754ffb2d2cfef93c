using System.Buffers.Binary;
using Libp2p.Negotiation;

namespace Libp2p.Security.Noise;

/// <summary>Secures connections with Noise. One static key serves the host's whole life, so that its signature is made once.</summary>
internal sealed class NoiseProtocol : ISecurityProtocol
{
    private readonly X25519KeyPair staticKey;
    private readonly byte[] payload;
    private readonly IReadOnlyList<string> muxers;
    private readonly Func<X25519KeyPair> ephemeralKeys;

    public NoiseProtocol(PrivateKey identity, IReadOnlyList<string> muxers)
        : this(identity, muxers, X25519KeyPair.Generate(), X25519KeyPair.Generate)
    {
    }

    /// <summary>With given keys, and a payload instead of one's own, for recorded handshakes.</summary>
    internal NoiseProtocol(
        PrivateKey identity, IReadOnlyList<string> muxers, X25519KeyPair staticKey, Func<X25519KeyPair> ephemeralKeys, byte[]? recordedPayload = null)
    {
        this.staticKey = staticKey;
        this.muxers = muxers;
        this.ephemeralKeys = ephemeralKeys;
        payload = recordedPayload ?? NoisePayload.Create(identity, staticKey.Public, muxers);
    }

    public string Id => ProtocolName.Noise;

    public async Task<SecureChannel> SecureAsync(Stream raw, bool initiator, PeerId? expected, CancellationToken cancellationToken)
    {
        using var handshake = new NoiseHandshake(initiator, staticKey, ephemeralKeys());
        var output = new byte[2 + 3 * NoiseHandshake.KeySize + payload.Length + 2 * NoiseHandshake.TagSize];
        NoisePayload remote;
        PublicKey key;
        if (initiator)
        {
            await SendAsync(raw, output, handshake.WriteFirst(output.AsSpan(2)), cancellationToken);
            byte[] second = await ReceiveAsync(raw, cancellationToken), plain = new byte[second.Length];
            remote = NoisePayload.Parse(plain.AsSpan(0, handshake.ReadSecond(second, plain)));
            key = remote.Verify(handshake.RemoteStatic, expected);
            await SendAsync(raw, output, handshake.WriteThird(payload, output.AsSpan(2)), cancellationToken);
        }
        else
        {
            handshake.ReadFirst(await ReceiveAsync(raw, cancellationToken));
            await SendAsync(raw, output, handshake.WriteSecond(payload, output.AsSpan(2)), cancellationToken);
            byte[] third = await ReceiveAsync(raw, cancellationToken), plain = new byte[third.Length];
            remote = NoisePayload.Parse(plain.AsSpan(0, handshake.ReadThird(third, plain)));
            key = remote.Verify(handshake.RemoteStatic, expected);
        }
        var (sending, receiving) = handshake.Split();
        var (first, other) = initiator ? (muxers, remote.Muxers) : (remote.Muxers, muxers);
        return new SecureChannel(new NoiseStream(raw, sending, receiving), key, first.FirstOrDefault(other.Contains));
    }

    private static async ValueTask SendAsync(Stream raw, byte[] output, int length, CancellationToken cancellationToken)
    {
        BinaryPrimitives.WriteUInt16BigEndian(output, (ushort)length);
        await raw.WriteAsync(output.AsMemory(0, 2 + length), cancellationToken);
        await raw.FlushAsync(cancellationToken);
    }

    private static async ValueTask<byte[]> ReceiveAsync(Stream raw, CancellationToken cancellationToken)
    {
        try
        {
            var prefix = new byte[2];
            await raw.ReadExactlyAsync(prefix, cancellationToken);
            var message = new byte[BinaryPrimitives.ReadUInt16BigEndian(prefix)];
            await raw.ReadExactlyAsync(message, cancellationToken);
            return message;
        }
        catch (EndOfStreamException e)
        {
            throw new HandshakeException("The peer closed the connection during the Noise handshake.", e);
        }
    }
}
