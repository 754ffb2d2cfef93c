using System.Buffers;
using System.Runtime.CompilerServices;
using Libp2p.Transport;

namespace Libp2p.PrivateNetwork;

/// <summary>
/// A connection of a private network (spec/libp2p.md, section 2): each side sends a random nonce and XORs everything after it
/// with its own keystream. Nothing is authenticated: a wrong secret shows as garbage above.
/// </summary>
internal sealed class PrivateNetworkStream : LayerStream
{
    // Above this, writes are split, so that one connection never rents more than this.
    private const int MaxWrite = 512 * 1024;

    private readonly NetworkSecret secret;
    private readonly byte[] ownNonce;
    private XSalsa20? reading;
    private XSalsa20? writing;

    public PrivateNetworkStream(Stream inner, NetworkSecret secret, ReadOnlySpan<byte> nonce) : base(inner)
    {
        this.secret = secret;
        ownNonce = nonce.ToArray();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (reading is null && !await ReadNonceAsync(cancellationToken)) return 0;
        int n = await Inner.ReadAsync(buffer, cancellationToken);
        reading!.Xor(buffer.Span[..n], buffer.Span);
        return n;
    }

    private async Task<bool> ReadNonceAsync(CancellationToken cancellationToken)
    {
        var nonce = new byte[XSalsa20.NonceSize];
        int n = await Inner.ReadAtLeastAsync(nonce, nonce.Length, throwOnEndOfStream: false, cancellationToken);
        if (n < nonce.Length) throw new EndOfStreamException("The peer closed the connection before it sent its private-network nonce.");
        reading = new XSalsa20(secret.Key, nonce);
        return true;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // The nonce travels with the first bytes, so that they share a packet.
        int prefix = 0;
        if (writing is null)
        {
            writing = new XSalsa20(secret.Key, ownNonce);
            prefix = XSalsa20.NonceSize;
        }
        do
        {
            int n = Math.Min(buffer.Length, MaxWrite - prefix);
            byte[] wire = ArrayPool<byte>.Shared.Rent(prefix + n);
            try
            {
                if (prefix > 0) ownNonce.CopyTo(wire, 0);
                writing.Xor(buffer.Span[..n], wire.AsSpan(prefix));
                await Inner.WriteAsync(wire.AsMemory(0, prefix + n), cancellationToken);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(wire);
            }
            buffer = buffer[n..];
            prefix = 0;
        }
        while (!buffer.IsEmpty);
    }
}
