using Cluster.Model;
using Cluster.PeerRpc.Msgpack;
using Libp2p;

namespace Cluster.PeerRpc.Values;

/// <summary>Lists and maps of simple values; nil is null, and a map counts as the list of its keys and values.</summary>
public static class Lists
{
    /// <summary>A list of peer ids; undefined ones stay in it.</summary>
    public static IReadOnlyList<PeerId>? Peers(ref MsgpackReader reader)
    {
        var count = reader.ArrayHeader();
        if (count < 0) return null;
        var peers = new PeerId[count];
        for (var i = 0; i < count; i++) peers[i] = reader.Peer();
        return peers;
    }

    /// <summary>A list of multiaddresses; nil elements, which stand for no address, are left out.</summary>
    public static IReadOnlyList<Multiaddr>? Addresses(ref MsgpackReader reader)
    {
        var count = reader.ArrayHeader();
        if (count < 0) return null;
        var addresses = new List<Multiaddr>(count);
        for (var i = 0; i < count; i++)
            if (reader.Address() is { } address) addresses.Add(address);
        return addresses;
    }

    /// <summary>A map of texts.</summary>
    public static Metadata? Texts(ref MsgpackReader reader)
    {
        var count = reader.MapHeader();
        if (count < 0) return null;
        var entries = new KeyValuePair<string, string>[count];
        for (var i = 0; i < count; i++) entries[i] = new(reader.Text(), reader.Text());
        return Metadata.From(entries);
    }

    /// <summary>A list of texts.</summary>
    public static IReadOnlyList<string>? Strings(ref MsgpackReader reader)
    {
        var count = reader.ArrayHeader();
        if (count < 0) return null;
        var texts = new string[count];
        for (var i = 0; i < count; i++) texts[i] = reader.Text();
        return texts;
    }
}
