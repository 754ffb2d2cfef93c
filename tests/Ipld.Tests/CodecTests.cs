using System.Security.Cryptography;
using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace Ipld.Tests;

public sealed class CodecTests
{
    [Fact]
    public void A_dag_pb_node_reads_back_as_it_was_written()
    {
        Prop.ForAll<NonNull<string>[], byte[]>((names, data) =>
        {
            var links = names.Select((name, i) => new DagPbLink(CidPrefix.V1.Sum(Multicodec.Raw, BitConverter.GetBytes(i)), Encoding.UTF8.GetBytes(name.Get), (ulong)i << 20)).ToList();
            var block = DagPbNode.Encode(links, data);
            var node = DagPbNode.Decode(block);
            Assert.Equal(block, node.Encode());
            Assert.Equal(data, node.Data!.Value.ToArray());
            Assert.Equal(links.Select(l => l.Cid).Order(), node.Links.Select(l => l.Cid).Order());
            for (var i = 1; i < node.Links.Count; i++)
            {
                Assert.True(node.Links[i - 1].NameBytes.Span.SequenceCompareTo(node.Links[i].NameBytes.Span) <= 0);
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Absent_data_is_not_empty_data()
    {
        Assert.Empty(DagPbNode.Encode([], null));
        Assert.Equal([0x0a, 0x00], DagPbNode.Encode([], ReadOnlyMemory<byte>.Empty));
        Assert.Null(DagPbNode.Decode([]).Data);
        Assert.NotNull(DagPbNode.Decode([0x0a, 0x00]).Data);
    }

    [Theory]
    [InlineData("08", "protobuf: (PBNode) invalid wireType, expected 2, got 0")]
    [InlineData("0a00 0a00", "protobuf: (PBNode) duplicate Data section")]
    [InlineData("1a00", "protobuf: (PBNode) invalid fieldNumber, expected 1 or 2, got 3")]
    [InlineData("1200", "invalid Hash field found in link, expected CID")]
    [InlineData("0a05 01", "unexpected EOF")]
    [InlineData("1202 1200", "invalid Hash field found in link, expected CID")]
    [InlineData("1204 1800 1200", "protobuf: (PBLink) invalid order, found Tsize before Name")]
    public void A_bad_dag_pb_block_is_refused_in_the_originals_words(string hex, string expected)
    {
        var e = Assert.Throws<IpldDecodeException>(() => DagPbNode.Decode(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal))));
        Assert.Equal(expected, e.Message);
    }

    [Fact]
    public void A_unixfs_node_reads_back_as_it_was_written()
    {
        Prop.ForAll<byte[], ulong[], (uint, long)>((data, sizes, time) =>
        {
            var node = new UnixFsNode { Type = UnixFsType.File, Data = data, FileSize = 7, BlockSizes = sizes, Mode = time.Item1, Mtime = (time.Item2, time.Item1) };
            var read = UnixFsNode.Decode(node.Encode());
            Assert.Equal(node.Encode(), read.Encode());
            Assert.Equal(sizes, read.BlockSizes);
            Assert.Equal(node.Mtime, read.Mtime);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_shard_node_reads_back_as_it_was_written()
    {
        foreach (var count in new[] { 0, 1, 10, 23, 24, 300, 5984 })
        {
            var links = Enumerable.Range(0, count).Select(i => CidPrefix.V1.Sum(Multicodec.Raw, BitConverter.GetBytes(i))).ToArray();
            var block = DagCbor.EncodeIndexedLinks(links);
            Assert.Equal(links, DagCbor.DecodeIndexedLinks(block));
            Assert.Equal(links, DagCbor.Links(block));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("9f0102ff")] // indefinite length
    [InlineData("8201")] // a missing item
    [InlineData("0101")] // two items
    [InlineData("c074323031332d30332d32315432303a30343a30305a")] // tag 0
    [InlineData("a10102")] // a key that is a number
    [InlineData("d82a450101550000")] // a link without the identity prefix
    [InlineData("9bffffffffffffffff")] // more items than bytes
    public void Bad_dag_cbor_is_refused(string hex) => Assert.Throws<IpldDecodeException>(() => DagCbor.Links(Convert.FromHexString(hex)));

    [Fact]
    public void Nesting_without_end_is_refused()
    {
        var block = new byte[100_000];
        Array.Fill(block, (byte)0x81);
        Assert.Throws<IpldDecodeException>(() => DagCbor.Links(block));
    }

    [Theory]
    [InlineData("sha3-224", "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf")]
    [InlineData("sha3-256", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532")]
    [InlineData("sha3-384", "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25")]
    [InlineData("sha3-512", "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0")]
    [InlineData("keccak-256", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45")]
    [InlineData("blake2b-512", "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923")]
    [InlineData("blake2s-256", "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982")]
    [InlineData("blake3", "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85")]
    [InlineData("sha1", "a9993e364706816aba3e25717850c26c9cd0d89d")]
    [InlineData("md5", "900150983cd24fb0d6963f7d28e17f72")]
    [InlineData("shake-128", "5881092dd818bf5cf8a3ddb793fbcba74097d5c526a6d35f97b83351940f2cc8")]
    public void A_hash_function_gives_the_published_digest_of_abc(string name, string expected)
    {
        Assert.True(MultihashCode.TryGetCode(name, out var code));
        Assert.Equal(expected, Convert.ToHexStringLower(MultihashSum.Compute(code, "abc"u8).Digest));
    }

    [Fact]
    public void Own_hash_functions_agree_with_the_platforms_at_every_length()
    {
        if (!SHA3_256.IsSupported)
        {
            return;
        }

        var data = Import.GeneratedContent.RandomBytes(5, 1000);
        for (var length = 0; length <= data.Length; length++)
        {
            Assert.Equal(SHA3_256.HashData(data.AsSpan(0, length)), MultihashSum.Compute(MultihashCode.Sha3_256, data.AsSpan(0, length)).Digest.ToArray());
            Assert.Equal(Shake256.HashData(data.AsSpan(0, length), 64), MultihashSum.Compute(MultihashCode.Shake256, data.AsSpan(0, length)).Digest.ToArray());
        }
    }

    [Fact]
    public void A_longer_blake3_digest_starts_with_the_shorter()
    {
        foreach (var length in new[] { 0, 1, 64, 1023, 1024, 1025, 2048, 2049, 5000, 102400 })
        {
            var data = Import.GeneratedContent.RandomBytes(1, length);
            var longer = MultihashSum.Compute(MultihashCode.Blake3, data, 128).Digest.ToArray();
            Assert.Equal(128, longer.Length);
            Assert.Equal(MultihashSum.Compute(MultihashCode.Blake3, data).Digest.ToArray(), longer[..32]);
        }
    }

    [Theory]
    [InlineData(0x1aUL, -1, "unknown multihash code 26 (0x1a): no such hash registered")]
    [InlineData(MultihashCode.Sha2_256, 33, "requested length was too large for digest")]
    [InlineData(MultihashCode.Blake3, 129, "requested length was too large for digest")]
    [InlineData(MultihashCode.Identity, 2, "the length of the identity hash (2) must be equal to the length of the data (3)")]
    public void A_hash_that_cannot_be_computed_is_refused_in_the_originals_words(ulong code, int length, string expected) =>
        Assert.Equal(expected, Assert.Throws<MultihashException>(() => MultihashSum.Compute(code, "abc"u8, length)).Message);
}
