using Cluster.Model;
using Cluster.PeerRpc.Msgpack;
using Libp2p;

namespace Cluster.PeerRpc.Values;

/// <summary>ID, IPFSID and Version (peer-rpc §3).</summary>
public static class PeerCodec
{
    private static readonly string[] IdFields = ["i", "a", "cp", "cpa", "v", "c", "rv", "e", "ip", "pn"];
    private static readonly string[] IpfsFields = ["i", "a", "e"];
    private static readonly string[] VersionFields = ["v"];

    /// <summary>Writes a peer's description of itself.</summary>
    public static void Write(MsgpackWriter output, PeerInfo peer)
    {
        var map = new MapWriter();
        map.Peer("i", peer.Id);
        map.List("a", peer.Addresses, static (writer, address) => writer.Address(address));
        map.List("cp", peer.ClusterPeers, static (writer, id) => writer.Peer(id));
        map.List("cpa", peer.ClusterPeersAddresses, static (writer, address) => writer.Address(address));
        map.Text("v", peer.Version);
        map.Text("c", peer.Commit);
        map.Text("rv", peer.RpcProtocolVersion);
        map.Text("e", peer.Error);
        if (peer.Ipfs is { Id.Length: > 0 } or { Addresses: not null } or { Error.Length: > 0 }) WriteIpfs(map.Field("ip"), peer.Ipfs);
        map.Text("pn", peer.PeerName);
        map.Flush(output);
    }

    /// <summary>Reads a peer's description of itself.</summary>
    /// <exception cref="MsgpackException">Not one.</exception>
    public static PeerInfo ReadPeer(ref MsgpackReader reader)
    {
        var peer = new PeerInfo();
        var fields = reader.Struct(IdFields);
        while (fields.Next(ref reader, out var field))
        {
            switch (field)
            {
                case 0: peer = peer with { Id = reader.Peer() }; break;
                case 1: peer = peer with { Addresses = Lists.Addresses(ref reader) }; break;
                case 2: peer = peer with { ClusterPeers = Lists.Peers(ref reader) }; break;
                case 3: peer = peer with { ClusterPeersAddresses = Lists.Addresses(ref reader) }; break;
                case 4: peer = peer with { Version = reader.Text() }; break;
                case 5: peer = peer with { Commit = reader.Text() }; break;
                case 6: peer = peer with { RpcProtocolVersion = reader.Text() }; break;
                case 7: peer = peer with { Error = reader.Text() }; break;
                case 8: peer = peer with { Ipfs = ReadIpfs(ref reader) }; break;
                case 9: peer = peer with { PeerName = reader.Text() }; break;
                default: reader.Skip(); break;
            }
        }
        return peer;
    }

    /// <summary>Writes a daemon's id.</summary>
    public static void WriteIpfs(MsgpackWriter output, IpfsId daemon)
    {
        var map = new MapWriter();
        if (PeerId.TryParse(daemon.Id, out var id, out _)) map.Peer("i", id);
        map.List("a", Addresses.FromTexts(daemon.Addresses), static (writer, address) => writer.Address(address));
        map.Text("e", daemon.Error);
        map.Flush(output);
    }

    /// <summary>Reads a daemon's id.</summary>
    /// <exception cref="MsgpackException">Not one.</exception>
    public static IpfsId ReadIpfs(ref MsgpackReader reader)
    {
        var daemon = new IpfsId();
        var fields = reader.Struct(IpfsFields);
        while (fields.Next(ref reader, out var field))
        {
            switch (field)
            {
                case 0: daemon = daemon with { Id = reader.Peer().ToString() }; break;
                case 1: daemon = daemon with { Addresses = Addresses.ToTexts(Lists.Addresses(ref reader)) }; break;
                case 2: daemon = daemon with { Error = reader.Text() }; break;
                default: reader.Skip(); break;
            }
        }
        return daemon;
    }

    /// <summary>Writes a version.</summary>
    public static void WriteVersion(MsgpackWriter output, string version)
    {
        var map = new MapWriter();
        map.Field("v").Text(version); // no omitempty in the original
        map.Flush(output);
    }

    /// <summary>Reads a version.</summary>
    /// <exception cref="MsgpackException">Not one.</exception>
    public static string ReadVersion(ref MsgpackReader reader)
    {
        var version = "";
        var fields = reader.Struct(VersionFields);
        while (fields.Next(ref reader, out var field))
        {
            if (field == 0) version = reader.Text();
            else reader.Skip();
        }
        return version;
    }
}
