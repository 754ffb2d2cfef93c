using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Cluster.Model.Configuration;
using Libp2p;

namespace Cluster.Service.Folder;

/// <summary>Free ports for everything that listens, for several peers on one machine.</summary>
internal static class RandomPorts
{
    public static ClusterConfiguration Assign(ClusterConfiguration configuration)
    {
        // Sockets are kept open until all ports are chosen, so that no port is chosen twice.
        var reserved = new List<Socket>();
        try
        {
            return configuration with
            {
                Cluster = configuration.Cluster with { ListenAddresses = Change(configuration.Cluster.ListenAddresses, reserved) },
                RestApi = configuration.RestApi with { HttpListenAddresses = Change(configuration.RestApi.HttpListenAddresses, reserved) },
                PinSvcApi = configuration.PinSvcApi with { HttpListenAddresses = Change(configuration.PinSvcApi.HttpListenAddresses, reserved) },
                IpfsProxy = configuration.IpfsProxy with { ListenAddresses = Change(configuration.IpfsProxy.ListenAddresses, reserved) },
            };
        }
        finally
        {
            foreach (var socket in reserved)
                socket.Dispose();
        }
    }

    private static Multiaddr[] Change(IReadOnlyList<Multiaddr> addresses, List<Socket> reserved) =>
        [.. addresses.Select(address => Change(address, reserved))];

    private static Multiaddr Change(Multiaddr address, List<Socket> reserved)
    {
        var parts = address.ToString().Split('/');
        for (var i = 1; i + 1 < parts.Length; i++)
        {
            if (parts[i] is "tcp" or "udp")
                parts[i + 1] = FreePort(parts[i] == "tcp", reserved).ToString(CultureInfo.InvariantCulture);
        }

        return Multiaddr.Parse(string.Join('/', parts));
    }

    private static int FreePort(bool tcp, List<Socket> reserved)
    {
        var socket = tcp
            ? new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
            : new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        reserved.Add(socket);
        socket.Bind(new IPEndPoint(IPAddress.Any, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
