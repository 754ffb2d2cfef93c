using Cluster.Model;
using Cluster.PeerRpc.Msgpack;
using Ipld;

namespace Cluster.PeerRpc.Values;

/// <summary>A block on its way to another peer's daemon.</summary>
public readonly record struct BlockValue(Cid Cid, ReadOnlyMemory<byte>? Data, ulong CumulativeSize);

/// <summary>What a daemon's repository holds, in bytes.</summary>
public readonly record struct RepoStatValue(ulong RepoSize, ulong StorageMax);

/// <summary>A pin of a daemon: 0 bug, 1 error, 2 direct, 3 recursive, 4 indirect, 5 unpinned.</summary>
public readonly record struct DaemonPinValue(Cid Cid, int Status);

/// <summary>NodeWithMeta, IPFSRepoStat, IPFSRepoGC, RepoGC, IPFSPinInfo (peer-rpc §3).</summary>
public static class DaemonCodec
{
    private static readonly string[] BlockFields = ["d", "c", "s"];
    private static readonly string[] RepoStatFields = ["r", "s"];
    private static readonly string[] GcKeyFields = ["k", "e"];
    private static readonly string[] GcFields = ["p", "pn", "k", "e"];
    private static readonly string[] PinFields = ["c", "t"];
    private static readonly string[] GlobalGcFields = ["pm"];

    /// <summary>Writes a block.</summary>
    public static void Write(MsgpackWriter output, BlockValue block)
    {
        var map = new MapWriter();
        if (block.Data is { } data) map.Field("d").Raw(data.Span);
        map.Cid("c", block.Cid);
        map.Unsigned("s", block.CumulativeSize);
        map.Flush(output);
    }

    /// <summary>Reads a block.</summary>
    /// <exception cref="MsgpackException">Not one.</exception>
    public static BlockValue ReadBlock(ref MsgpackReader reader)
    {
        var block = default(BlockValue);
        var fields = reader.Struct(BlockFields);
        while (fields.Next(ref reader, out var field))
        {
            switch (field)
            {
                case 0: block = block with { Data = reader.TryNil() ? (ReadOnlyMemory<byte>?)null : reader.Raw().ToArray() }; break;
                case 1: block = block with { Cid = reader.Cid() }; break;
                case 2: block = block with { CumulativeSize = reader.Unsigned() }; break;
                default: reader.Skip(); break;
            }
        }
        return block;
    }

    /// <summary>Writes sizes.</summary>
    public static void Write(MsgpackWriter output, RepoStatValue stat)
    {
        var map = new MapWriter();
        map.Unsigned("r", stat.RepoSize);
        map.Field("s").Unsigned(stat.StorageMax); // no omitempty in the original
        map.Flush(output);
    }

    /// <summary>Reads sizes.</summary>
    /// <exception cref="MsgpackException">Not such.</exception>
    public static RepoStatValue ReadRepoStat(ref MsgpackReader reader)
    {
        var stat = default(RepoStatValue);
        var fields = reader.Struct(RepoStatFields);
        while (fields.Next(ref reader, out var field))
        {
            if (field == 0) stat = stat with { RepoSize = reader.Unsigned() };
            else if (field == 1) stat = stat with { StorageMax = reader.Unsigned() };
            else reader.Skip();
        }
        return stat;
    }

    /// <summary>Writes one removed block.</summary>
    public static void Write(MsgpackWriter output, RepoGcKey key)
    {
        var map = new MapWriter();
        map.Cid("k", key.Key);
        map.Text("e", key.Error);
        map.Flush(output);
    }

    /// <summary>Reads one removed block.</summary>
    /// <exception cref="MsgpackException">Not one.</exception>
    public static RepoGcKey ReadGcKey(ref MsgpackReader reader)
    {
        var key = new RepoGcKey(default);
        var fields = reader.Struct(GcKeyFields);
        while (fields.Next(ref reader, out var field))
        {
            if (field == 0) key = key with { Key = reader.Cid() };
            else if (field == 1) key = key with { Error = reader.Text() };
            else reader.Skip();
        }
        return key;
    }

    /// <summary>Writes what one peer collected.</summary>
    public static void Write(MsgpackWriter output, RepoGc collected)
    {
        var map = new MapWriter();
        map.Peer("p", collected.Peer);
        map.Text("pn", collected.PeerName);
        map.Field("k").List(collected.Keys, static (writer, key) => Write(writer, key));
        map.Text("e", collected.Error);
        map.Flush(output);
    }

    /// <summary>Reads what one peer collected.</summary>
    /// <exception cref="MsgpackException">Not such.</exception>
    public static RepoGc ReadGc(ref MsgpackReader reader)
    {
        var collected = new RepoGc();
        var fields = reader.Struct(GcFields);
        while (fields.Next(ref reader, out var field))
        {
            switch (field)
            {
                case 0: collected = collected with { Peer = reader.Peer() }; break;
                case 1: collected = collected with { PeerName = reader.Text() }; break;
                case 2: collected = collected with { Keys = ReadGcKeys(ref reader) }; break;
                case 3: collected = collected with { Error = reader.Text() }; break;
                default: reader.Skip(); break;
            }
        }
        return collected;
    }

    /// <summary>Writes what all peers collected.</summary>
    public static void Write(MsgpackWriter output, GlobalRepoGc collected)
    {
        if (collected.PeerMap is null)
        {
            output.Nil();
            return;
        }
        var map = new MapWriter();
        map.Map("pm", collected.PeerMap.Select(entry => new KeyValuePair<string, RepoGc>(entry.Key.ToString(), entry.Value)).ToArray(),
            static (writer, value) => Write(writer, value));
        map.Flush(output);
    }

    /// <summary>Reads what all peers collected.</summary>
    /// <exception cref="MsgpackException">Not such.</exception>
    public static GlobalRepoGc ReadGlobalGc(ref MsgpackReader reader)
    {
        List<KeyValuePair<Libp2p.PeerId, RepoGc>>? peers = null;
        var fields = reader.Struct(GlobalGcFields);
        while (fields.Next(ref reader, out var field))
        {
            if (field != 0)
            {
                reader.Skip();
                continue;
            }
            var count = reader.MapHeader();
            if (count < 0) continue;
            peers = new(count);
            for (var i = 0; i < count; i++)
            {
                if (!Libp2p.PeerId.TryParse(reader.Text(), out var peer, out var error)) throw new MsgpackException(error);
                peers.Add(new(peer, ReadGc(ref reader)));
            }
        }
        return new GlobalRepoGc(peers);
    }

    /// <summary>Writes a pin of a daemon.</summary>
    public static void Write(MsgpackWriter output, DaemonPinValue pin)
    {
        output.MapHeader(2);
        output.Text("c");
        output.Cid(pin.Cid);
        output.Text("t");
        output.Signed(pin.Status);
    }

    /// <summary>Reads a pin of a daemon.</summary>
    /// <exception cref="MsgpackException">Not one.</exception>
    public static DaemonPinValue ReadPin(ref MsgpackReader reader)
    {
        var pin = default(DaemonPinValue);
        var fields = reader.Struct(PinFields);
        while (fields.Next(ref reader, out var field))
        {
            if (field == 0) pin = pin with { Cid = reader.Cid() };
            else if (field == 1) pin = pin with { Status = reader.Int32() };
            else reader.Skip();
        }
        return pin;
    }

    private static RepoGcKey[]? ReadGcKeys(ref MsgpackReader reader)
    {
        var count = reader.ArrayHeader();
        if (count < 0) return null;
        var keys = new RepoGcKey[count];
        for (var i = 0; i < count; i++) keys[i] = ReadGcKey(ref reader);
        return keys;
    }
}
