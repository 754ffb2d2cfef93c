using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Libp2p.Wire;

namespace Libp2p.Kademlia;

/// <summary>What a DHT message is about.</summary>
public enum KademliaMessageType
{
    /// <summary>Keep a record.</summary>
    PutValue = 0,

    /// <summary>Give a record, or peers nearer to it.</summary>
    GetValue = 1,

    /// <summary>The sender has some content.</summary>
    AddProvider = 2,

    /// <summary>Who has some content, or is nearer to it.</summary>
    GetProviders = 3,

    /// <summary>Where a peer is, or who is nearer to it.</summary>
    FindNode = 4,

    /// <summary>Comes back as it is.</summary>
    Ping = 5,
}

/// <summary>How the sender of a message stands to a peer it names.</summary>
public enum KademliaConnection
{
    /// <summary>Not connected.</summary>
    NotConnected = 0,

    /// <summary>Connected.</summary>
    Connected = 1,

    /// <summary>Was connected lately.</summary>
    CanConnect = 2,

    /// <summary>Was tried without success.</summary>
    CannotConnect = 3,
}

/// <summary>A peer named in a message.</summary>
public sealed record KademliaPeer(PeerId Peer, IReadOnlyList<Multiaddr> Addresses, KademliaConnection Connection = KademliaConnection.NotConnected);

/// <summary>A record: its key, its value, and when it came (RFC 3339; set by whoever keeps it).</summary>
public sealed record KademliaRecord(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value, string TimeReceived = "");

/// <summary>A message of the DHT (spec libp2p §11).</summary>
public sealed record KademliaMessage(KademliaMessageType Type, ReadOnlyMemory<byte> Key)
{
    /// <summary>Peers in one list, at most; further ones are passed over.</summary>
    public const int MaxPeers = 200;

    /// <summary>Addresses of one peer, at most; further ones are passed over.</summary>
    public const int MaxAddresses = 100;

    /// <summary>The record that is to be kept, or was asked for.</summary>
    public KademliaRecord? Record { get; init; }

    /// <summary>Peers nearer to the key.</summary>
    public IReadOnlyList<KademliaPeer> CloserPeers { get; init; } = [];

    /// <summary>Peers that have the content.</summary>
    public IReadOnlyList<KademliaPeer> ProviderPeers { get; init; } = [];

    /// <summary>Left from an older protocol; everyone sends 1.</summary>
    public int ClusterLevel { get; init; } = 1;

    /// <summary>The protobuf, without its length.</summary>
    public byte[] Encode()
    {
        var output = new ArrayBufferWriter<byte>(256);
        var writer = new ProtoWriter(output);
        if (Type != KademliaMessageType.PutValue) writer.Varint(1, (ulong)Type);
        if (!Key.IsEmpty) writer.Bytes(2, Key.Span);
        if (Record is { } record) writer.Bytes(3, EncodeRecord(record));
        foreach (var peer in CloserPeers) writer.Bytes(8, EncodePeer(peer));
        foreach (var peer in ProviderPeers) writer.Bytes(9, EncodePeer(peer));
        if (ClusterLevel != 0) writer.Varint(10, (ulong)ClusterLevel);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Reads the protobuf; false when it is none, or of no known type. Peers and addresses that do not parse are passed over.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out KademliaMessage? message, out string reason)
    {
        message = null;
        ulong type = 0;
        byte[] key = [];
        int level = 0;
        KademliaRecord? record = null;
        List<KademliaPeer> closer = [], providers = [];
        bool good = true;
        var reader = new ProtoReader(bytes);
        while (good && reader.Next(out int field))
        {
            switch (field)
            {
                case 1: type = reader.Varint(); break;
                case 2: key = reader.Bytes().ToArray(); break;
                case 3: good = TryParseRecord(reader.Bytes(), out record); break;
                case 8: good = ParsePeer(reader.Bytes(), closer); break;
                case 9: good = ParsePeer(reader.Bytes(), providers); break;
                case 10: level = (int)reader.Varint(); break;
                default: reader.Skip(); break;
            }
        }
        if (!good || reader.Malformed)
        {
            reason = "the message is no protobuf";
            return false;
        }
        if (type > (ulong)KademliaMessageType.Ping)
        {
            reason = $"messages of type {type} are unknown";
            return false;
        }
        reason = "";
        message = new KademliaMessage((KademliaMessageType)type, key) { Record = record, CloserPeers = closer, ProviderPeers = providers, ClusterLevel = level };
        return true;
    }

    private static ReadOnlySpan<byte> EncodeRecord(KademliaRecord record)
    {
        var output = new ArrayBufferWriter<byte>(record.Value.Length + 64);
        var writer = new ProtoWriter(output);
        if (!record.Key.IsEmpty) writer.Bytes(1, record.Key.Span);
        if (!record.Value.IsEmpty) writer.Bytes(2, record.Value.Span);
        if (record.TimeReceived.Length > 0) writer.String(5, record.TimeReceived);
        return output.WrittenSpan;
    }

    private static ReadOnlySpan<byte> EncodePeer(KademliaPeer peer)
    {
        var output = new ArrayBufferWriter<byte>(128);
        var writer = new ProtoWriter(output);
        writer.Bytes(1, peer.Peer.Bytes);
        foreach (var address in peer.Addresses) writer.Bytes(2, address.Bytes);
        if (peer.Connection != KademliaConnection.NotConnected) writer.Varint(3, (ulong)peer.Connection);
        return output.WrittenSpan;
    }

    private static bool TryParseRecord(ReadOnlySpan<byte> bytes, out KademliaRecord? record)
    {
        byte[] key = [], value = [];
        string time = "";
        var reader = new ProtoReader(bytes);
        while (reader.Next(out int field))
        {
            if (field == 1) key = reader.Bytes().ToArray();
            else if (field == 2) value = reader.Bytes().ToArray();
            else if (field == 5) time = Encoding.UTF8.GetString(reader.Bytes());
            else reader.Skip();
        }
        record = new KademliaRecord(key, value, time);
        return !reader.Malformed;
    }

    private static bool ParsePeer(ReadOnlySpan<byte> bytes, List<KademliaPeer> peers)
    {
        PeerId peer = default;
        List<Multiaddr> addresses = [];
        ulong connection = 0;
        var reader = new ProtoReader(bytes);
        while (reader.Next(out int field))
        {
            if (field == 1)
            {
                if (!PeerId.TryFromBytes(reader.Bytes(), out peer, out _)) peer = default;
            }
            else if (field == 2)
            {
                var address = reader.Bytes();
                if (addresses.Count < MaxAddresses && Multiaddr.TryFromBytes(address, out var parsed, out _) && !parsed.IsEmpty) addresses.Add(parsed);
            }
            else if (field == 3)
            {
                connection = reader.Varint();
            }
            else
            {
                reader.Skip();
            }
        }
        if (reader.Malformed) return false;
        if (peer.IsDefined && peers.Count < MaxPeers) peers.Add(new KademliaPeer(peer, addresses, connection <= 3 ? (KademliaConnection)connection : default));
        return true;
    }
}
