using System.Buffers;
using Libp2p.Wire;

namespace Libp2p.Pubsub;

/// <summary>Joining or leaving of a topic.</summary>
public readonly record struct SubscriptionChange(string Topic, bool Subscribe);

/// <summary>Messages that the sender could give.</summary>
public sealed record IHave(string Topic, IReadOnlyList<MessageId> Ids);

/// <summary>A peer named in a PRUNE; the record may be empty.</summary>
public readonly record struct ExchangedPeer(ReadOnlyMemory<byte> PeerId, ReadOnlyMemory<byte> SignedPeerRecord);

/// <summary>Out of the mesh of a topic, for at least so many seconds (0: not said).</summary>
public sealed record Prune(string Topic, IReadOnlyList<ExchangedPeer> Peers, ulong BackoffSeconds);

/// <summary>One frame between two pubsub peers (spec libp2p §12).</summary>
public sealed class PubsubRpc
{
    /// <summary>Entries of any list in one frame, at most; a frame with more is malformed to us.</summary>
    public const int MaxEntries = 100_000;

    /// <summary>Topics joined and left.</summary>
    public List<SubscriptionChange> Subscriptions { get; } = [];

    /// <summary>Messages.</summary>
    public List<PubsubMessage> Publish { get; } = [];

    /// <summary>Messages offered.</summary>
    public List<IHave> IHave { get; } = [];

    /// <summary>Messages asked for.</summary>
    public List<MessageId> IWant { get; } = [];

    /// <summary>Topics into whose mesh the sender takes us.</summary>
    public List<string> Graft { get; } = [];

    /// <summary>Topics out of whose mesh the sender takes us.</summary>
    public List<Prune> Prune { get; } = [];

    /// <summary>Messages that need not be sent.</summary>
    public List<MessageId> IDontWant { get; } = [];

    /// <summary>Whether nothing is in it.</summary>
    public bool IsEmpty => Subscriptions.Count == 0 && Publish.Count == 0 && !HasControl;

    private bool HasControl => IHave.Count + IWant.Count + Graft.Count + Prune.Count + IDontWant.Count > 0;

    /// <summary>The protobuf, without its length.</summary>
    public byte[] Encode()
    {
        var output = new ArrayBufferWriter<byte>(256 + Publish.Sum(message => message.Encoded.Length));
        var part = new ArrayBufferWriter<byte>(256);
        var writer = new ProtoWriter(output);
        foreach (var change in Subscriptions)
        {
            part.ResetWrittenCount();
            var inner = new ProtoWriter(part);
            inner.Bool(1, change.Subscribe);
            inner.String(2, change.Topic);
            writer.Bytes(1, part.WrittenSpan);
        }
        foreach (var message in Publish) writer.Bytes(2, message.Encoded.Span);
        if (HasControl) writer.Bytes(3, EncodeControl());
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Reads the protobuf; false when it is none.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out PubsubRpc? rpc)
    {
        rpc = new PubsubRpc();
        var reader = new ProtoReader(bytes);
        var good = true;
        while (good && reader.Next(out var field))
        {
            switch (field)
            {
                case 1:
                    good = rpc.ParseSubscription(reader.Bytes());
                    break;
                case 2:
                    good = PubsubMessage.TryParse(reader.Bytes(), out var message);
                    if (good) rpc.Publish.Add(message!);
                    break;
                case 3:
                    good = rpc.ParseControl(reader.Bytes());
                    break;
                default:
                    reader.Skip();
                    break;
            }
            good &= rpc.Subscriptions.Count <= MaxEntries && rpc.Publish.Count <= MaxEntries;
        }
        if (good && !reader.Malformed) return true;
        rpc = null;
        return false;
    }

    private byte[] EncodeControl()
    {
        var output = new ArrayBufferWriter<byte>(256);
        var part = new ArrayBufferWriter<byte>(256);
        var writer = new ProtoWriter(output);
        foreach (var have in IHave)
        {
            part.ResetWrittenCount();
            var inner = new ProtoWriter(part);
            inner.String(1, have.Topic);
            foreach (var id in have.Ids) inner.Bytes(2, id.Bytes);
            writer.Bytes(1, part.WrittenSpan);
        }
        if (IWant.Count > 0) writer.Bytes(2, EncodeIds(IWant));
        foreach (var topic in Graft)
        {
            part.ResetWrittenCount();
            new ProtoWriter(part).String(1, topic);
            writer.Bytes(3, part.WrittenSpan);
        }
        foreach (var prune in Prune)
        {
            part.ResetWrittenCount();
            var inner = new ProtoWriter(part);
            inner.String(1, prune.Topic);
            foreach (var peer in prune.Peers) inner.Bytes(2, EncodePeer(peer));
            if (prune.BackoffSeconds > 0) inner.Varint(3, prune.BackoffSeconds);
            writer.Bytes(4, part.WrittenSpan);
        }
        if (IDontWant.Count > 0) writer.Bytes(5, EncodeIds(IDontWant));
        return output.WrittenSpan.ToArray();
    }

    private static byte[] EncodeIds(List<MessageId> ids)
    {
        var output = new ArrayBufferWriter<byte>(ids.Count * 26);
        foreach (var id in ids) new ProtoWriter(output).Bytes(1, id.Bytes);
        return output.WrittenSpan.ToArray();
    }

    private static byte[] EncodePeer(ExchangedPeer peer)
    {
        var output = new ArrayBufferWriter<byte>(64);
        var writer = new ProtoWriter(output);
        writer.Bytes(1, peer.PeerId.Span);
        if (!peer.SignedPeerRecord.IsEmpty) writer.Bytes(2, peer.SignedPeerRecord.Span);
        return output.WrittenSpan.ToArray();
    }

    private bool ParseSubscription(ReadOnlySpan<byte> bytes)
    {
        var subscribe = false;
        var topic = "";
        var reader = new ProtoReader(bytes);
        while (reader.Next(out var field))
        {
            if (field == 1) subscribe = reader.Varint() != 0;
            else if (field == 2) topic = Text(reader.Bytes());
            else reader.Skip();
        }
        Subscriptions.Add(new SubscriptionChange(topic, subscribe));
        return !reader.Malformed;
    }

    private bool ParseControl(ReadOnlySpan<byte> bytes)
    {
        var reader = new ProtoReader(bytes);
        var good = true;
        while (good && reader.Next(out var field))
        {
            switch (field)
            {
                case 1: good = ParseIHave(reader.Bytes()); break;
                case 2: good = ParseIds(reader.Bytes(), IWant); break;
                case 3: good = ParseTopic(reader.Bytes()); break;
                case 4: good = ParsePrune(reader.Bytes()); break;
                case 5: good = ParseIds(reader.Bytes(), IDontWant); break;
                default: reader.Skip(); break;
            }
            good &= IHave.Count + Graft.Count + Prune.Count <= MaxEntries;
        }
        return good && !reader.Malformed;
    }

    private bool ParseIHave(ReadOnlySpan<byte> bytes)
    {
        var topic = "";
        List<MessageId> ids = [];
        var reader = new ProtoReader(bytes);
        while (reader.Next(out var field))
        {
            if (field == 1) topic = Text(reader.Bytes());
            else if (field == 2) ids.Add(new MessageId(reader.Bytes().ToArray()));
            else reader.Skip();
        }
        IHave.Add(new IHave(topic, ids));
        return !reader.Malformed;
    }

    private static bool ParseIds(ReadOnlySpan<byte> bytes, List<MessageId> ids)
    {
        var reader = new ProtoReader(bytes);
        while (reader.Next(out var field))
        {
            if (field == 1) ids.Add(new MessageId(reader.Bytes().ToArray()));
            else reader.Skip();
        }
        return !reader.Malformed;
    }

    private bool ParseTopic(ReadOnlySpan<byte> bytes)
    {
        var topic = "";
        var reader = new ProtoReader(bytes);
        while (reader.Next(out var field))
        {
            if (field == 1) topic = Text(reader.Bytes());
            else reader.Skip();
        }
        Graft.Add(topic);
        return !reader.Malformed;
    }

    private bool ParsePrune(ReadOnlySpan<byte> bytes)
    {
        var topic = "";
        List<ExchangedPeer> peers = [];
        ulong backoff = 0;
        var reader = new ProtoReader(bytes);
        while (reader.Next(out var field))
        {
            if (field == 1) topic = Text(reader.Bytes());
            else if (field == 2) peers.Add(ParsePeer(reader.Bytes()));
            else if (field == 3) backoff = reader.Varint();
            else reader.Skip();
        }
        Prune.Add(new Prune(topic, peers, backoff));
        return !reader.Malformed;
    }

    private static ExchangedPeer ParsePeer(ReadOnlySpan<byte> bytes)
    {
        byte[] id = [], record = [];
        var reader = new ProtoReader(bytes);
        while (reader.Next(out var field))
        {
            if (field == 1) id = reader.Bytes().ToArray();
            else if (field == 2) record = reader.Bytes().ToArray();
            else reader.Skip();
        }
        return new ExchangedPeer(id, record);
    }

    private static string Text(ReadOnlySpan<byte> bytes) => System.Text.Encoding.UTF8.GetString(bytes);
}
