using System.Net;
using System.Net.Sockets;

namespace Libp2p.Mdns;

/// <summary>One group over UDP, on given interfaces. The port is shared with other programs of this machine.</summary>
public sealed class UdpMulticastChannel : IMulticastChannel
{
    private readonly Socket socket;
    private readonly IPEndPoint group;
    private readonly IReadOnlyList<IPAddress> interfaces;

    private UdpMulticastChannel(Socket socket, IPEndPoint group, IReadOnlyList<IPAddress> interfaces)
    {
        this.socket = socket;
        this.group = group;
        this.interfaces = interfaces;
    }

    /// <summary>Joins a group.</summary>
    /// <param name="group">The group and its port.</param>
    /// <param name="interfaces">Local addresses of the interfaces to use, those of the group's family; none for the system's choice.</param>
    /// <exception cref="SocketException">The group cannot be joined, for instance because the machine has no such network.</exception>
    public static UdpMulticastChannel Join(IPEndPoint group, IReadOnlyList<IPAddress> interfaces)
    {
        IPAddress[] own = [.. interfaces.Where(address => address.AddressFamily == group.AddressFamily)];
        var socket = new Socket(group.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            bool four = group.AddressFamily == AddressFamily.InterNetwork;
            if (!four) socket.DualMode = false;
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(new IPEndPoint(four ? IPAddress.Any : IPAddress.IPv6Any, group.Port));
            var level = four ? SocketOptionLevel.IP : SocketOptionLevel.IPv6;
            // Other programs of this machine are to hear us, too; nobody beyond the local network.
            socket.SetSocketOption(level, SocketOptionName.MulticastLoopback, true);
            socket.SetSocketOption(level, SocketOptionName.MulticastTimeToLive, 1);
            if (!four) socket.SetSocketOption(level, SocketOptionName.AddMembership, new IPv6MulticastOption(group.Address));
            else if (own.Length == 0) socket.SetSocketOption(level, SocketOptionName.AddMembership, new MulticastOption(group.Address));
            foreach (var address in own)
            {
                if (four) socket.SetSocketOption(level, SocketOptionName.AddMembership, new MulticastOption(group.Address, address));
            }
            return new UdpMulticastChannel(socket, group, four ? own : []);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask SendAsync(ReadOnlyMemory<byte> packet, IPEndPoint? to, CancellationToken cancellationToken)
    {
        if (to is not null || interfaces.Count == 0)
        {
            await socket.SendToAsync(packet, SocketFlags.None, to ?? group, cancellationToken);
            return;
        }
        foreach (var address in interfaces)
        {
            socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastInterface, address.GetAddressBytes());
            await socket.SendToAsync(packet, SocketFlags.None, group, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<(int Length, IPEndPoint From)> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var received = await socket.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(group.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0), cancellationToken);
        return (received.ReceivedBytes, (IPEndPoint)received.RemoteEndPoint);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        socket.Dispose();
        return default;
    }
}
