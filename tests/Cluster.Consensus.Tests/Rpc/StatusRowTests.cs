using System.Buffers;
using Cluster.Consensus.Rpc;
using Cluster.PeerRpc.Msgpack;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Tests.Rpc;

/// <summary>Single rows of statuses between the two forms.</summary>
public sealed class StatusRowTests
{
    [Fact]
    public void A_damaged_row_is_refused_and_nothing_else()
    {
        var random = new Random(9);
        var recorded = Recording.Named("PinTracker.StatusAll everything", "test peer").Replies.Select(r => r.Value).ToList();
        using var rows = new StatusRowReader();
        int read = 0, refused = 0;
        for (var round = 0; round < 20_000; round++)
        {
            var original = recorded[round % recorded.Count];
            var bytes = original[..random.Next(1, original.Length + 1)];
            for (var flips = random.Next(3); flips >= 0; flips--)
                bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                var reader = new MsgpackReader(bytes);
                var info = V1.PinInfo.Parser.ParseFrom(rows.Read(ref reader));
                Assert.False(info.Cid.IsEmpty);
                read++;
            }
            catch (MsgpackException)
            {
                refused++;
            }
        }

        Assert.True(read > 0 && refused > 0);
    }

    [Fact]
    public void A_row_as_a_list_of_values_reads_like_one_with_names()
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new MsgpackWriter(output);
        writer.ArrayHeader(11);
        writer.Cid(Peer.Cid(1));
        writer.Text("name");
        writer.Peer(Peer.Id(1));
        writer.ArrayHeader(1);
        writer.Peer(Peer.Id(2));
        writer.Nil();
        writer.Nil();
        writer.Nil();
        writer.Text("peer");
        writer.Nil();
        writer.Nil();
        writer.Signed((long)V1.TrackerStatus.Unpinned);
        using var rows = new StatusRowReader();
        var reader = new MsgpackReader(output.WrittenSpan);
        var info = V1.PinInfo.Parser.ParseFrom(rows.Read(ref reader));
        Assert.Equal(("name", "peer", V1.TrackerStatus.Unpinned, true), (info.Name, info.PeerName, info.Status, info.InPinset));
        Assert.Equal(Peer.Id(2).ToBytes(), Assert.Single(info.Allocations).ToByteArray());
    }
}
