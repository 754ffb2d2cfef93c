using System.Security.Cryptography;
using Ipld;
using Libp2p;

namespace Cluster.Allocation.Tests;

public class PeerDistanceTests
{
    private static readonly PeerId[] Peers = [.. Enumerable.Range(1, 5).Select(i =>
        PeerId.FromBytes([0, 36, 8, 1, 18, 32, .. Enumerable.Repeat((byte)i, 32)]))];

    [Fact]
    public void Exactly_one_peer_acts_for_a_cid_and_all_agree_on_it()
    {
        var acts = Peers.Select(self => (Self: self, Distance: new PeerDistance(self, Peers))).ToArray();
        var counts = Peers.ToDictionary(peer => peer, _ => 0);
        for (var i = 0; i < 500; i++)
        {
            var cid = Cid.CreateV1(Multicodec.Raw, Multihash.Create(MultihashCode.Sha2_256, SHA256.HashData(BitConverter.GetBytes(i))));
            counts[Assert.Single(acts, peer => peer.Distance.IsClosest(cid)).Self]++;
        }

        Assert.All(counts.Values, count => Assert.InRange(count, 50, 200));
    }

    [Fact]
    public void A_lone_peer_is_the_closest()
    {
        var cid = Cid.CreateV1(Multicodec.Raw, Multihash.Create(MultihashCode.Sha2_256, SHA256.HashData([])));
        Assert.True(new PeerDistance(Peers[0], []).IsClosest(cid));
        Assert.True(new PeerDistance(Peers[0], [Peers[0]]).IsClosest(cid));
    }
}
