using System.Buffers;
using System.Text;
using Cluster.Consensus.Services;
using Cluster.Model;
using Cluster.PeerRpc.Msgpack;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Rpc;

/// <summary>
/// Writes a tracker's statuses as values of the peer RPC (spec/peer-rpc.md 3, PinInfo) straight from their wire form: a peer is asked for
/// a hundred thousand at a time. Keys stand in the original's order.
/// </summary>
internal sealed class StatusRowWriter
{
    private readonly byte[] _peer;
    private readonly byte[] _identity;
    private readonly int _identityFields;

    /// <param name="identity">What is the same in all rows: this peer, its name, its daemon.</param>
    internal StatusRowWriter(V1.PinInfo identity)
    {
        _peer = identity.Peer.ToByteArray();
        (_identity, _identityFields) = Encode(identity);
    }

    /// <summary>Writes one status.</summary>
    /// <param name="item">A <c>PinInfo</c> in wire form; its own identity fields are not looked at.</param>
    /// <param name="output">Where to.</param>
    /// <exception cref="FormatException">It is no such message.</exception>
    internal void Write(ReadOnlySpan<byte> item, MsgpackWriter output)
    {
        ReadOnlySpan<byte> cid = default, name = default, timestamp = default, error = default, created = default;
        ulong status = 0, attempts = 0, priority = 0, inPinset = 0;
        int allocations = 0, origins = 0, metadata = 0;
        var fields = new WireFields(item);
        while (fields.Next())
        {
            switch (fields.Field)
            {
                case 1: cid = fields.Content; break;
                case 2: name = fields.Content; break;
                case 7: status = fields.Number; break;
                case 8: timestamp = fields.Content; break;
                case 9: error = fields.Content; break;
                case 10: attempts = fields.Number; break;
                case 11: priority = fields.Number; break;
                case 12: allocations++; break;
                case 13: origins++; break;
                case 14: created = fields.Content; break;
                case 15: metadata++; break;
                case 16: inPinset = fields.Number; break;
            }
        }

        // Lists of a pin that has none are empty, those of no pin nil: the original tells the two apart.
        var hasAllocations = allocations > 0 || inPinset != 0;
        var hasOrigins = origins > 0 || inPinset != 0;
        var createdTime = Time(created);
        var changed = Time(timestamp);
        output.MapHeader(
            2 + Count(!name.IsEmpty) + Count(hasAllocations) + Count(hasOrigins) + Count(!createdTime.IsZero) + Count(metadata > 0) + _identityFields
            + Count(status != 0) + Count(!changed.IsZero) + Count(!error.IsEmpty) + Count(attempts != 0) + Count(priority != 0));
        Key(output, "c"u8);
        if (cid.IsEmpty)
            output.Nil();
        else
            output.Raw(cid);
        if (!name.IsEmpty)
        {
            Key(output, "m"u8);
            output.Raw(name);
        }

        Key(output, "p"u8);
        output.Raw(_peer);
        if (hasAllocations)
            WriteList(output, "o"u8, item, 12, allocations);
        if (hasOrigins)
            WriteList(output, "g"u8, item, 13, origins);
        if (!createdTime.IsZero)
        {
            Key(output, "t"u8);
            output.Time(createdTime);
        }

        if (metadata > 0)
            WriteMetadata(output, item, metadata);
        output.Encoded(_identity);
        if (status != 0)
        {
            Key(output, "st"u8);
            output.Signed((long)status);
        }

        if (!changed.IsZero)
        {
            Key(output, "ts"u8);
            output.Time(changed);
        }

        if (!error.IsEmpty)
        {
            Key(output, "e"u8);
            output.Raw(error);
        }

        if (attempts != 0)
        {
            Key(output, "a"u8);
            output.Signed((long)attempts);
        }

        if (priority != 0)
        {
            Key(output, "y"u8);
            output.Bool(true);
        }
    }

    private static int Count(bool written) => written ? 1 : 0;

    private static void Key(MsgpackWriter output, ReadOnlySpan<byte> key) => output.Raw(key);

    private static void WriteList(MsgpackWriter output, ReadOnlySpan<byte> key, ReadOnlySpan<byte> item, int field, int count)
    {
        Key(output, key);
        output.ArrayHeader(count);
        if (count == 0)
            return;
        var fields = new WireFields(item);
        while (fields.Next())
        {
            if (fields.Field == field)
                output.Raw(fields.Content);
        }
    }

    private static void WriteMetadata(MsgpackWriter output, ReadOnlySpan<byte> item, int count)
    {
        Key(output, "md"u8);
        output.MapHeader(count);
        var fields = new WireFields(item);
        while (fields.Next())
        {
            if (fields.Field != 15)
                continue;
            ReadOnlySpan<byte> key = default, value = default;
            var entry = new WireFields(fields.Content);
            while (entry.Next())
            {
                if (entry.Field == 1)
                    key = entry.Content;
                else if (entry.Field == 2)
                    value = entry.Content;
            }

            output.Raw(key);
            output.Raw(value);
        }
    }

    private static GoTime Time(ReadOnlySpan<byte> message)
    {
        if (message.IsEmpty)
            return GoTime.Zero;
        long seconds = 0, nanoseconds = 0;
        var fields = new WireFields(message);
        while (fields.Next())
        {
            if (fields.Field == 1)
                seconds = (long)fields.Number;
            else if (fields.Field == 2)
                nanoseconds = (long)fields.Number;
        }

        return GoTime.FromUnix(seconds, nanoseconds);
    }

    /// <summary>The keys pn, i and ia, without those that are empty.</summary>
    private static (byte[] Encoded, int Fields) Encode(V1.PinInfo identity)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var output = new MsgpackWriter(buffer);
        var count = 0;
        if (identity.PeerName.Length > 0)
        {
            count++;
            Key(output, "pn"u8);
            output.Raw(Encoding.UTF8.GetBytes(identity.PeerName));
        }

        if (PeerId.TryParse(identity.IpfsPeerId, out var daemon, out _))
        {
            count++;
            Key(output, "i"u8);
            output.Peer(daemon);
        }

        var addresses = new List<Multiaddr>();
        foreach (var text in identity.IpfsPeerAddresses)
        {
            // A protocol that we do not know has no binary form for us; the other addresses do.
            if (Multiaddr.TryParse(text, out var address, out _))
                addresses.Add(address!);
        }

        if (addresses.Count > 0)
        {
            count++;
            Key(output, "ia"u8);
            output.ArrayHeader(addresses.Count);
            foreach (var address in addresses)
                output.Address(address);
        }

        return (buffer.WrittenSpan.ToArray(), count);
    }
}
