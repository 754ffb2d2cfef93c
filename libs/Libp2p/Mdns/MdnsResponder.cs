namespace Libp2p.Mdns;

/// <summary>What a peer says of itself and reads of others: the messages of discovery, without I/O.</summary>
/// <param name="service">Name of the service, such as <see cref="MdnsOptions.ClusterService"/>.</param>
/// <param name="instance">Our name in it: 32 to 63 letters and digits, random.</param>
public sealed class MdnsResponder(string service, string instance)
{
    private const uint ServiceTtl = 3200;
    private const uint AddressTtl = 120;
    private const string Prefix = "dnsaddr=";
    private const string AllServices = "_services._dns-sd._udp.local.";

    // Nobody looks at it: the addresses have their own ports.
    private const ushort Port = 4001;

    // Addresses that are announced or taken from one record, at most.
    private const int MaxAddresses = 32;

    private readonly string serviceName = $"{service}.local.";
    private readonly string instanceName = $"{instance}.{service}.local.";
    private readonly string hostName = $"{instance}.local.";

    /// <summary>Makes a name for an instance.</summary>
    public static string RandomInstance(Random random)
    {
        const string Letters = "0123456789abcdefghijklmnopqrstuvwxyz";
        return string.Create(random.Next(32, 64), random, static (name, random) =>
        {
            foreach (ref char c in name) c = Letters[random.Next(Letters.Length)];
        });
    }

    /// <summary>Asks who offers the service.</summary>
    public MdnsMessage Query(ushort id)
    {
        var message = MdnsMessage.Query(id);
        message.Questions.Add(new MdnsQuestion(serviceName, MdnsType.Ptr));
        return message;
    }

    /// <summary>Asks whether our name is taken, and claims it.</summary>
    public MdnsMessage Probe(ushort id, PeerId peer, IEnumerable<Multiaddr> addresses)
    {
        var message = MdnsMessage.Query(id);
        message.Questions.Add(new MdnsQuestion(instanceName, MdnsType.Ptr));
        message.Authority.AddRange([Srv(MdnsMessage.Internet, ServiceTtl), Txt(MdnsMessage.Internet, ServiceTtl, peer, addresses)]);
        return message;
    }

    /// <summary>Tells everyone of us.</summary>
    /// <param name="peer">This host.</param>
    /// <param name="addresses">Its addresses.</param>
    /// <param name="ending">It is about to end: all that was said holds no more.</param>
    public MdnsMessage Announce(PeerId peer, IReadOnlyCollection<Multiaddr> addresses, bool ending = false)
    {
        const ushort Flush = MdnsMessage.Internet | MdnsMessage.TopBit;
        uint ttl = ending ? 0 : ServiceTtl;
        var message = MdnsMessage.Announcement();
        message.Answers.AddRange(
        [
            Srv(Flush, ttl), Txt(Flush, ttl, peer, addresses), Ptr(serviceName, instanceName, ttl), Ptr(AllServices, serviceName, ttl),
            .. HostRecords(Flush, ending ? 0 : AddressTtl, addresses),
        ]);
        return message;
    }

    /// <summary>Answers questions; null when none is for us.</summary>
    public MdnsMessage? Answer(MdnsMessage query, PeerId peer, IReadOnlyCollection<Multiaddr> addresses)
    {
        if (query.IsResponse) return null;
        var message = MdnsMessage.Response(query.Id);
        // A probe brings records of its own: it asks whether another has its name.
        foreach (var question in query.Questions)
        {
            bool ptr = question.Type is MdnsType.Ptr or MdnsType.Any;
            if (ptr && Same(question.Name, serviceName))
            {
                message.Answers.Add(Ptr(serviceName, instanceName, ServiceTtl));
                message.Additional.AddRange([Srv(MdnsMessage.Internet, ServiceTtl), Txt(MdnsMessage.Internet, ServiceTtl, peer, addresses),
                    .. HostRecords(MdnsMessage.Internet, AddressTtl, addresses)]);
            }
            else if (ptr && Same(question.Name, AllServices))
            {
                message.Answers.Add(Ptr(AllServices, serviceName, ServiceTtl));
            }
            else if (Same(question.Name, instanceName) && query.Authority.Count == 0)
            {
                if (question.Type is MdnsType.Srv or MdnsType.Any) message.Answers.Add(Srv(MdnsMessage.Internet, ServiceTtl));
                if (question.Type is MdnsType.Txt or MdnsType.Any) message.Answers.Add(Txt(MdnsMessage.Internet, ServiceTtl, peer, addresses));
            }
            else if (Same(question.Name, hostName))
            {
                message.Answers.AddRange(HostRecords(MdnsMessage.Internet, AddressTtl, addresses).Where(r => question.Type == MdnsType.Any || r.Type == question.Type));
            }
            if (message.Answers.Count > 16) break;
        }
        return message.Answers.Count > 0 ? message : null;
    }

    /// <summary>The addresses, each with its peer, that others tell in a message. Peers that say good-bye are not among them.</summary>
    public IReadOnlyList<Multiaddr> Read(MdnsMessage message)
    {
        if (!message.IsResponse) return [];
        List<Multiaddr> found = [];
        foreach (var record in message.Answers.Concat(message.Additional))
        {
            if (record.Type != MdnsType.Txt || record.Ttl == 0 || Same(record.Name, instanceName)
                || !record.Name.EndsWith("." + serviceName, StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }
            foreach (string text in record.Texts.Take(MaxAddresses))
            {
                if (text.StartsWith(Prefix, StringComparison.Ordinal) && Multiaddr.TryParse(text[Prefix.Length..], out var address, out _)
                    && address.PeerId is not null && IsSuitable(address.WithoutPeer()))
                {
                    found.Add(address);
                }
            }
        }
        return found;
    }

    /// <summary>Whether an address is one that is told in the local network: plain TCP or UDP at an IP or a <c>.local</c> name.</summary>
    public static bool IsSuitable(Multiaddr address)
    {
        foreach (var component in address.Components)
        {
            if (component.Protocol.Name is "ws" or "wss" or "webtransport" or "webrtc" or "webrtc-direct" or "p2p-circuit" or "p2p-webrtc-star" or "p2p-webrtc-direct" or "p2p-websocket-star")
                return false;
        }
        if (address.IsThinWaist) return true;
        return address.Components.Count > 0 && address.Components[0].Protocol.Name is "dns" or "dns4" or "dns6"
            && address.Components[0].Value?.EndsWith(".local", StringComparison.OrdinalIgnoreCase) == true;
    }

    private static bool Same(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);

    private static MdnsRecord Ptr(string name, string target, uint ttl) => new(name, MdnsType.Ptr, MdnsMessage.Internet, ttl) { Target = target };

    private MdnsRecord Srv(ushort kind, uint ttl) => new(instanceName, MdnsType.Srv, kind, ttl) { Service = (0, 0, Port), Target = hostName };

    private MdnsRecord Txt(ushort kind, uint ttl, PeerId peer, IEnumerable<Multiaddr> addresses) => new(instanceName, MdnsType.Txt, kind, ttl)
    {
        Texts = [.. addresses.Where(IsSuitable).Select(address => $"{Prefix}{address.WithPeer(peer)}").Where(text => text.Length <= 255).Take(MaxAddresses)],
    };

    private IEnumerable<MdnsRecord> HostRecords(ushort kind, uint ttl, IEnumerable<Multiaddr> addresses)
    {
        foreach (var ip in addresses.Where(IsSuitable).Select(address => address.Ip).OfType<System.Net.IPAddress>().Distinct().Take(MaxAddresses))
        {
            var type = ip.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? MdnsType.A : MdnsType.Aaaa;
            yield return new MdnsRecord(hostName, type, kind, ttl) { Address = new System.Net.IPAddress(ip.GetAddressBytes()) };
        }
    }
}
