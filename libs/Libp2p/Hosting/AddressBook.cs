using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Libp2p.Hosting;

/// <summary>The host's own addresses: listened on, seen by others, and what of it is told.</summary>
internal sealed class AddressBook(HostOptions options)
{
    private const int MaxObserved = 8;

    private readonly Lock gate = new();
    private readonly List<Multiaddr> observed = [];
    private IReadOnlyList<Multiaddr> listening = [];

    public IReadOnlyList<Multiaddr> Listening
    {
        get => Volatile.Read(ref listening);
        set => Volatile.Write(ref listening, value);
    }

    /// <summary>Another peer reached this host at an address; true if that is news.</summary>
    public bool Observe(Multiaddr address)
    {
        if (!address.TryGetTcpEndPoint(out _) || address.IsLoopback || address.IsUnspecified || address.IsIp6LinkLocal) return false;
        lock (gate)
        {
            if (observed.Contains(address) || Expanded().Contains(address)) return false;
            if (observed.Count == MaxObserved) observed.RemoveAt(0);
            observed.Add(address);
            return true;
        }
    }

    /// <summary>The addresses that others are told.</summary>
    public IReadOnlyList<Multiaddr> Announced()
    {
        IEnumerable<Multiaddr> all = options.Announce;
        if (options.Announce.Count == 0)
        {
            lock (gate) all = Expanded().Concat(observed).ToList();
        }
        return [.. all.Select(a => a.WithoutPeer()).Where(a => !IsHidden(a)).Distinct()];
    }

    private bool IsHidden(Multiaddr address) => options.NoAnnounce.Any(rule => Matches(rule, address));

    /// <summary>Whether a rule covers an address: the same address, or a network (<c>/ip4/…/ipcidr/…</c>) that it lies in.</summary>
    internal static bool Matches(Multiaddr rule, Multiaddr address)
    {
        if (rule.ValueOf(AddressProtocol.IpCidr) is not { } bits || rule.Ip is not { } network) return rule.WithoutPeer() == address.WithoutPeer();
        if (address.Ip is not { } ip || ip.AddressFamily != network.AddressFamily) return false;
        int length = int.Parse(bits, System.Globalization.CultureInfo.InvariantCulture);
        byte[] a = ip.GetAddressBytes(), b = network.GetAddressBytes();
        if (length > 8 * a.Length) return false;
        for (int i = 0; i < length; i++)
        {
            int mask = 0x80 >> (i % 8);
            if ((a[i / 8] & mask) != (b[i / 8] & mask)) return false;
        }
        return true;
    }

    // 0.0.0.0 and :: stand for all addresses of the machine.
    private IEnumerable<Multiaddr> Expanded()
    {
        foreach (var address in Listening)
        {
            if (!address.IsUnspecified || !address.TryGetTcpEndPoint(out var endPoint))
            {
                yield return address;
                continue;
            }
            foreach (var ip in LocalAddresses(endPoint.AddressFamily)) yield return Multiaddr.FromEndPoint(new IPEndPoint(ip, endPoint.Port));
        }
    }

    private static IEnumerable<IPAddress> LocalAddresses(AddressFamily family) =>
        NetworkInterface.GetAllNetworkInterfaces()
            // Linux does not tell of loopback whether it is up.
            .Where(n => n.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown)
            .SelectMany(n => n.GetIPProperties().UnicastAddresses)
            .Select(u => u.Address)
            .Where(a => a.AddressFamily == family && !a.IsIPv6LinkLocal);
}
