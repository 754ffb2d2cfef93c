using System.Net;

namespace Libp2p.Mdns;

/// <summary>Sends to and receives from a multicast group.</summary>
public interface IMulticastChannel : IAsyncDisposable
{
    /// <summary>Sends a packet to the whole group, or to one address.</summary>
    ValueTask SendAsync(ReadOnlyMemory<byte> packet, IPEndPoint? to, CancellationToken cancellationToken);

    /// <summary>Waits for the next packet.</summary>
    /// <returns>Its length, and where it came from.</returns>
    ValueTask<(int Length, IPEndPoint From)> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken);
}
