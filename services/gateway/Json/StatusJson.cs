using System.Buffers;
using Cluster.Contracts.V1;
using Cluster.Model;
using GlobalPinInfo = Cluster.Contracts.V1.GlobalPinInfo;
using PinInfo = Cluster.Contracts.V1.PinInfo;

namespace Cluster.Gateway.Json;

/// <summary>Statuses as JSON (<c>spec/rest-api.md</c> section 6.2).</summary>
public static class StatusJson
{
    private const int FewPeers = 64;

    /// <summary>One CID on the peers that were asked. A CID outside the pinset has no origins (<c>null</c>), and without a time, which is
    /// how a peer alone answers, no allocations either.</summary>
    public static void Write(IBufferWriter<byte> output, GlobalPinInfo info)
    {
        ArgumentNullException.ThrowIfNull(info);
        var json = new GoJsonWriter(output);
        json.Raw("{\"cid\":"u8);
        CidText.Write(ref json, info.Cid.Span);
        json.Raw(",\"name\":"u8);
        json.String(info.Name);
        json.Raw(",\"allocations\":"u8);
        if (!info.InPinset && info.Created is null) json.Null();
        else Fields.Peers(ref json, info.Allocations);
        json.Raw(",\"origins\":"u8);
        if (info.InPinset) Fields.Addresses(ref json, info.Origins);
        else json.Null();
        json.Raw(",\"created\":"u8);
        Fields.LocalTime(ref json, info.Created);
        json.Raw(",\"metadata\":"u8);
        if (info.Metadata.Count > 0) Fields.Map(ref json, info.Metadata);
        else json.Null();
        json.Raw(",\"peer_map\":"u8);
        Peers(ref json, info);
        json.Raw((byte)'}');
        json.Flush();
    }

    private static void Peers(ref GoJsonWriter json, GlobalPinInfo info)
    {
        int count = info.Peers.Count;
        if (count == 0)
        {
            json.Null();
            return;
        }

        Span<int> order = count <= FewPeers ? stackalloc int[count] : new int[count];
        if (count > 1) Fields.SortByPeer(order, i => info.Peers[i].Peer);
        else order[0] = 0;
        for (int i = 0; i < count; i++)
        {
            PinInfo peer = info.Peers[order[i]];
            json.Raw(i == 0 ? (byte)'{' : (byte)',');
            json.PlainString(PeerText.Of(peer.Peer));
            json.Raw(":{\"peername\":"u8);
            json.String(peer.PeerName);
            if (peer.IpfsPeerId.Length > 0)
            {
                json.Raw(",\"ipfs_peer_id\":"u8);
                json.String(peer.IpfsPeerId);
            }

            if (peer.IpfsPeerAddresses.Count > 0)
            {
                json.Raw(",\"ipfs_peer_addresses\":"u8);
                Fields.Strings(ref json, peer.IpfsPeerAddresses);
            }

            json.Raw(",\"status\":"u8);
            json.String(((Model.TrackerStatus)(int)peer.Status).ToText());
            json.Raw(",\"timestamp\":"u8);
            Fields.LocalTime(ref json, peer.Timestamp);
            json.Raw(",\"error\":"u8);
            json.String(peer.Error);
            json.Raw(",\"attempt_count\":"u8);
            json.Number(peer.AttemptCount);
            json.Raw(",\"priority_pin\":"u8);
            json.Boolean(peer.PriorityPin);
            json.Raw((byte)'}');
        }

        json.Raw((byte)'}');
    }
}
