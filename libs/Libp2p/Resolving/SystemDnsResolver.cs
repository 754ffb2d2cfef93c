using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Libp2p.Resolving;

/// <summary>Addresses through the operating system; text records by asking the system's name servers over UDP.</summary>
public sealed class SystemDnsResolver : IDnsResolver
{
    private const int Attempts = 2;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(3);

    private readonly IReadOnlyList<IPEndPoint>? servers;

    /// <summary>A resolver that asks the system's name servers.</summary>
    public SystemDnsResolver()
    {
    }

    /// <summary>A resolver that asks the given servers for text records.</summary>
    public SystemDnsResolver(IReadOnlyList<IPEndPoint> servers) => this.servers = servers;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<IPAddress>> ResolveAddressesAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            return await Dns.GetHostAddressesAsync(name, cancellationToken);
        }
        catch (SocketException)
        {
            return [];
        }
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> ResolveTextAsync(string name, CancellationToken cancellationToken)
    {
        foreach (var server in servers ?? SystemServers())
        {
            for (int i = 0; i < Attempts; i++)
            {
                if (await AskAsync(server, name, cancellationToken) is { } texts) return texts;
            }
        }
        return [];
    }

    private static async Task<IReadOnlyList<string>?> AskAsync(IPEndPoint server, string name, CancellationToken cancellationToken)
    {
        ushort id = BinaryPrimitives.ReadUInt16BigEndian(RandomNumberGenerator.GetBytes(2));
        byte[] query = DnsMessage.TextQuery(id, name), answer = new byte[DnsMessage.MaxUdp];
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Timeout);
        try
        {
            await socket.ConnectAsync(server, limit.Token);
            await socket.SendAsync(query, limit.Token);
            while (true)
            {
                int n = await socket.ReceiveAsync(answer, limit.Token);
                // Others may answer too; only ours counts.
                if (DnsMessage.TryReadTexts(answer.AsSpan(0, n), id, name, out var texts)) return texts;
            }
        }
        catch (SocketException)
        {
            return null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    private static List<IPEndPoint> SystemServers()
    {
        var found = new List<IPEndPoint>();
        foreach (var adapter in NetworkInterface.GetAllNetworkInterfaces())
        {
            foreach (var address in adapter.GetIPProperties().DnsAddresses)
            {
                var endPoint = new IPEndPoint(address, 53);
                if (!found.Contains(endPoint)) found.Add(endPoint);
            }
        }
        return found;
    }
}
