using System.Net;

namespace Libp2p.Mdns;

/// <summary>A question: what is wanted of a name.</summary>
/// <param name="Name">Dotted, with the last dot.</param>
/// <param name="Type">Kind of record.</param>
/// <param name="Class">1, with the top bit set when the answer is to come to the asker alone (RFC 6762 §5.4).</param>
public sealed record MdnsQuestion(string Name, MdnsType Type, ushort Class = MdnsMessage.Internet)
{
    /// <summary>Whether the answer is to come to the asker alone.</summary>
    public bool WantsUnicast => (Class & MdnsMessage.TopBit) != 0;
}

/// <summary>Kinds of records that are understood.</summary>
public enum MdnsType : ushort
{
    /// <summary>IPv4 address.</summary>
    A = 1,

    /// <summary>Another name.</summary>
    Ptr = 12,

    /// <summary>Texts.</summary>
    Txt = 16,

    /// <summary>IPv6 address.</summary>
    Aaaa = 28,

    /// <summary>Host and port of a service.</summary>
    Srv = 33,

    /// <summary>Any kind; in questions only.</summary>
    Any = 255,
}

/// <summary>A record of a name. Only the value of its type is set.</summary>
/// <param name="Name">Dotted, with the last dot.</param>
/// <param name="Type">Kind of record.</param>
/// <param name="Class">1, with the top bit set when it replaces what others remember (RFC 6762 §10.2).</param>
/// <param name="Ttl">Seconds for which it holds; 0 when it holds no more.</param>
public sealed record MdnsRecord(string Name, MdnsType Type, ushort Class, uint Ttl)
{
    /// <summary>The name that a PTR or SRV record points to.</summary>
    public string Target { get; init; } = "";

    /// <summary>Priority, weight and port of a SRV record.</summary>
    public (ushort Priority, ushort Weight, ushort Port) Service { get; init; }

    /// <summary>Texts of a TXT record, each up to 255 bytes.</summary>
    public IReadOnlyList<string> Texts { get; init; } = [];

    /// <summary>Address of an A or AAAA record.</summary>
    public IPAddress? Address { get; init; }

    /// <summary>Data of a record of another type.</summary>
    public ReadOnlyMemory<byte> Data { get; init; }
}

/// <summary>A packet of multicast DNS.</summary>
public sealed partial class MdnsMessage
{
    /// <summary>The only class in use.</summary>
    public const ushort Internet = 1;

    /// <summary>Marks unicast questions and cache-flushing records.</summary>
    public const ushort TopBit = 0x8000;

    /// <summary>Bytes of a packet, at most (RFC 6762 §17).</summary>
    public const int MaxPacket = 9000;

    private const ushort ResponseFlag = 0x8000;
    private const ushort AuthoritativeFlag = 0x0400;

    /// <summary>Number that an answer repeats.</summary>
    public ushort Id { get; init; }

    /// <summary>Flags as they stand in the header.</summary>
    public ushort Flags { get; init; }

    /// <summary>Whether it answers or announces; otherwise it asks or probes.</summary>
    public bool IsResponse => (Flags & ResponseFlag) != 0;

    /// <summary>Questions.</summary>
    public List<MdnsQuestion> Questions { get; } = [];

    /// <summary>Answers.</summary>
    public List<MdnsRecord> Answers { get; } = [];

    /// <summary>Records that a probe claims.</summary>
    public List<MdnsRecord> Authority { get; } = [];

    /// <summary>Records that may be of use to the asker as well.</summary>
    public List<MdnsRecord> Additional { get; } = [];

    /// <summary>A question, or a probe.</summary>
    public static MdnsMessage Query(ushort id = 0) => new() { Id = id };

    /// <summary>The answer to a question.</summary>
    public static MdnsMessage Response(ushort id = 0) => new() { Id = id, Flags = ResponseFlag | AuthoritativeFlag };

    /// <summary>A message that nobody asked for.</summary>
    public static MdnsMessage Announcement() => new() { Flags = ResponseFlag };
}
