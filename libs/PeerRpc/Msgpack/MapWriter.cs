using System.Buffers;
using Cluster.Model;
using Ipld;
using Libp2p;

namespace Cluster.PeerRpc.Msgpack;

/// <summary>
/// Writes a struct as a map whose empty fields are left out ("omitempty", peer-rpc §2): the number of pairs is known only at the end, so
/// the pairs wait in a buffer of their own.
/// </summary>
public sealed class MapWriter
{
    private readonly ArrayBufferWriter<byte> pairs = new(256);
    private int count;

    private MsgpackWriter Writer => new(pairs);

    /// <summary>Names a field; its value is written next.</summary>
    public MsgpackWriter Field(string key)
    {
        count++;
        Writer.Text(key);
        return Writer;
    }

    public void Signed(string key, long value)
    {
        if (value != 0) Field(key).Signed(value);
    }

    public void Unsigned(string key, ulong value)
    {
        if (value != 0) Field(key).Unsigned(value);
    }

    public void Text(string key, string value)
    {
        if (value.Length > 0) Field(key).Text(value);
    }

    public void Bool(string key, bool value)
    {
        if (value) Field(key).Bool(value);
    }

    public void Time(string key, GoTime value)
    {
        if (!value.IsZero) Field(key).Time(value);
    }

    public void Cid(string key, Cid value)
    {
        if (value.IsDefined) Field(key).Cid(value);
    }

    public void Peer(string key, PeerId value)
    {
        if (value.IsDefined) Field(key).Peer(value);
    }

    /// <summary>Null is left out; an empty list is written.</summary>
    public void List<T>(string key, IReadOnlyList<T>? items, Action<MsgpackWriter, T> write)
    {
        if (items is not null) Field(key).List(items, write);
    }

    /// <summary>Null is left out; an empty map is written. The original's maps have no order; ours keep the given one.</summary>
    public void Map<T>(string key, IReadOnlyCollection<KeyValuePair<string, T>>? entries, Action<MsgpackWriter, T> write)
    {
        if (entries is null) return;
        var writer = Field(key);
        writer.MapHeader(entries.Count);
        foreach (var (name, value) in entries)
        {
            writer.Text(name);
            write(writer, value);
        }
    }

    /// <summary>Puts the whole map out and empties the buffer.</summary>
    public void Flush(MsgpackWriter into)
    {
        into.MapHeader(count);
        into.Encoded(pairs.WrittenSpan);
        pairs.ResetWrittenCount();
        count = 0;
    }
}
