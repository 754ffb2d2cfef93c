using System.Text;
using Cluster.Consensus.Services;
using Cluster.PeerRpc.Msgpack;
using Libp2p;

namespace Cluster.Consensus.Rpc;

/// <summary>
/// Turns statuses of the peer RPC into the wire form of our contracts (<c>PinInfo</c>), one after the other. What is the same in all rows
/// of a peer (its daemon and the daemon's addresses) is converted once.
/// </summary>
internal sealed class StatusRowReader : IDisposable
{
    // In the order of the original's declaration, for rows that come as lists.
    private static readonly string[] Names = ["c", "m", "p", "o", "g", "t", "md", "pn", "i", "ia", "st", "ts", "e", "a", "y"];

    private static readonly byte[][] Keys = [.. Names.Select(Encoding.UTF8.GetBytes)];

    private readonly RawMessage _item = new(1024);
    private readonly RawMessage _nested = new(64);
    private byte[] _daemonBytes = [];
    private byte[] _daemonText = [];
    private byte[] _addressesBytes = [];
    private List<byte[]> _addressesTexts = [];

    public void Dispose()
    {
        _item.Dispose();
        _nested.Dispose();
    }

    /// <summary>Reads one row.</summary>
    /// <returns>The item, valid until the next is read; its first field is the CID, which may not be missing.</returns>
    /// <exception cref="MsgpackException">The value is no status.</exception>
    internal ReadOnlySpan<byte> Read(ref MsgpackReader reader)
    {
        _item.Clear();
        var inPinset = false;
        if (reader.TryNil())
            throw new MsgpackException("a status without a CID");
        var named = reader.IsMap;
        var count = named ? reader.MapHeader() : reader.ArrayHeader();
        var hasCid = false;
        for (var i = 0; i < count; i++)
        {
            var field = named ? IndexOf(reader.Raw()) : i;
            if (reader.TryNil())
                continue;
            switch (field)
            {
                case 0:
                    hasCid = true;
                    _item.Field(1, reader.Cid().Bytes);
                    break;
                case 1: _item.Field(2, reader.Raw()); break;
                case 2: _item.Field(3, reader.Peer().Bytes); break;
                case 3:
                    inPinset = true;
                    for (var left = reader.ArrayHeader(); left > 0; left--)
                        _item.Field(12, reader.Peer().Bytes);
                    break;
                case 4:
                    inPinset = true;
                    for (var left = reader.ArrayHeader(); left > 0; left--)
                    {
                        if (!reader.TryNil())
                            _item.Field(13, reader.Raw());
                    }

                    break;
                case 5: Time(14, ref reader); break;
                case 6:
                    for (var left = reader.MapHeader(); left > 0; left--)
                    {
                        _nested.Clear();
                        _nested.Field(1, reader.Raw());
                        _nested.Field(2, reader.Raw());
                        _item.Field(15, _nested.Span);
                    }

                    break;
                case 7: _item.Field(4, reader.Raw()); break;
                case 8: _item.Field(5, DaemonText(ref reader)); break;
                case 9: Addresses(ref reader); break;
                case 10: _item.Number(7, Unsigned(reader.Int32())); break;
                case 11: Time(8, ref reader); break;
                case 12: _item.Field(9, reader.Raw()); break;
                case 13: _item.Number(10, Unsigned(reader.Int32())); break;
                case 14: _item.Number(11, reader.Bool() ? 1UL : 0UL); break;
                default: reader.Skip(); break;
            }
        }

        if (!hasCid)
            throw new MsgpackException("a status without a CID");
        if (inPinset)
            _item.Number(16, 1);
        return _item.Span;
    }

    private static ulong Unsigned(int value) => value >= 0 ? (ulong)value : throw new MsgpackException($"{value} where a number from 0 was expected");

    private static int IndexOf(ReadOnlySpan<byte> key)
    {
        for (var i = 0; i < Keys.Length; i++)
        {
            if (key.SequenceEqual(Keys[i]))
                return i;
        }

        return -1;
    }

    private void Time(int field, ref MsgpackReader reader)
    {
        var time = reader.Time();
        if (time.IsZero)
            return;
        _nested.Clear();
        _nested.Number(1, (ulong)time.UnixSeconds);
        _nested.Number(2, (ulong)time.Nanosecond);
        _item.Field(field, _nested.Span);
    }

    private ReadOnlySpan<byte> DaemonText(ref MsgpackReader reader)
    {
        var bytes = reader.Peer().Bytes;
        if (!bytes.SequenceEqual(_daemonBytes))
        {
            _daemonText = Encoding.UTF8.GetBytes(PeerId.FromBytes(bytes).ToString());
            _daemonBytes = bytes.ToArray();
        }

        return _daemonText;
    }

    private void Addresses(ref MsgpackReader reader)
    {
        var value = reader.Value();
        if (!value.SequenceEqual(_addressesBytes))
        {
            var inner = new MsgpackReader(value);
            var texts = new List<byte[]>();
            for (var left = inner.ArrayHeader(); left > 0; left--)
            {
                if (inner.Address() is { } address)
                    texts.Add(Encoding.UTF8.GetBytes(address.ToString()));
            }

            _addressesTexts = texts;
            _addressesBytes = value.ToArray();
        }

        foreach (var text in _addressesTexts)
            _item.Field(6, text);
    }
}
