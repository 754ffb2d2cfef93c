using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace Ipld.Tests.Multiformats;

public sealed class MultiformatsTests
{
    [Fact]
    public void A_varint_reads_back_what_was_written()
    {
        Prop.ForAll<ulong>(value =>
        {
            value >>= (int)(value % 64) | 1;
            var bytes = Varint.ToBytes(value);
            Assert.True(Varint.TryRead([.. bytes, 0xff], out var read, out var length, out var error), error);
            Assert.Equal(value, read);
            Assert.Equal(bytes.Length, length);
            Assert.Equal(bytes.Length, Varint.Size(value));
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData("", "varints malformed, could not reach the end")]
    [InlineData("80", "varints malformed, could not reach the end")]
    [InlineData("8000", "varint not minimally encoded")]
    [InlineData("ffffffffffffffffff01", "varints larger than uint63 not supported")]
    public void A_bad_varint_is_refused_in_the_originals_words(string hex, string expected)
    {
        Assert.False(Varint.TryRead(Convert.FromHexString(hex), out _, out _, out var error));
        Assert.Equal(expected, error);
    }

    [Fact]
    public void Every_base_gives_back_the_bytes_it_was_given()
    {
        foreach (var encoding in Enum.GetValues<MultibaseEncoding>())
        {
            Prop.ForAll<byte[]>(data =>
            {
                if (encoding == MultibaseEncoding.Identity)
                {
                    // The identity base is not text; only bytes that are UTF-8 survive in a string.
                    data = Encoding.UTF8.GetBytes(Encoding.Latin1.GetString(data));
                }

                var text = Multibase.Encode(encoding, data);
                Assert.True(Multibase.TryGetEncoding(text, out var found));
                Assert.Equal(encoding, found);
                var buffer = new byte[Multibase.MaxDecodedLength(text.Length)];
                if (data.Length == 0 && encoding is MultibaseEncoding.Base58Btc or MultibaseEncoding.Base58Flickr or MultibaseEncoding.Base36 or MultibaseEncoding.Base36Upper)
                {
                    Assert.False(Multibase.TryDecode(text, buffer, out _, out _));
                    return;
                }

                Assert.True(Multibase.TryDecode(text, buffer, out var written, out var error), $"{encoding}: {error}");
                Assert.Equal(data, buffer[..written]);
            }).QuickCheckThrowOnFailure();
        }
    }

    [Fact]
    public void Leading_zero_bytes_survive_the_big_number_bases()
    {
        foreach (var length in new[] { 1, 2, 3, 4, 5, 33, 100, 500 })
        {
            foreach (var zeros in new[] { 0, 1, 3, length })
            {
                var data = new byte[length];
                data.AsSpan(Math.Min(zeros, length)).Fill(0xff);
                var text = Base58.Encode(data);
                var buffer = new byte[text.Length];
                Assert.True(Base58.TryDecode(text, buffer, out var written));
                Assert.Equal(data, buffer[..written]);
            }
        }
    }

    [Theory]
    [InlineData("zabc0", "invalid base58 digit ('0')")]
    [InlineData("z€", "high-bit set on invalid digit")]
    [InlineData("k1'", "invalid base36 character ('\\'')")]
    [InlineData("f123", "encoding/hex: odd length hex string")]
    [InlineData("fä0", "encoding/hex: invalid byte: U+00C3 'Ã'")]
    [InlineData("m====", "illegal base64 data at input byte 0")]
    [InlineData("MQ", "illegal base64 data at input byte 0")]
    [InlineData("0012", "error while conversion: strconv.ParseInt: parsing \"00000012\": invalid syntax")]
    [InlineData("b\u00fc", "illegal base32 data at input byte 0")]
    [InlineData("y", "selected encoding not supported")]
    public void A_bad_multibase_text_is_refused_in_the_originals_words(string text, string expected)
    {
        Assert.False(Multibase.TryDecode(text, new byte[64], out _, out var error));
        Assert.Equal(expected, error);
    }

    [Fact]
    public void A_cid_survives_text_and_bytes()
    {
        Prop.ForAll<byte[], ulong, ulong>((digest, codec, code) =>
        {
            var cid = Cid.CreateV1(codec >> 1, Multihash.Create(code >> 1, digest));
            Assert.Equal(cid, Cid.Parse(cid.ToString()));
            Assert.Equal(cid, Cid.FromBytes(cid.Bytes));
            Assert.True(Cid.TryRead([.. cid.Bytes, 1, 2, 3], out var read, out var length, out _));
            Assert.Equal(cid, read);
            Assert.Equal(cid.Bytes.Length, length);
            Assert.Equal(codec >> 1, cid.Codec);
            Assert.Equal(code >> 1, cid.Multihash.Code);
            Assert.Equal(digest, cid.Multihash.Digest.ToArray());
            Assert.Equal(0, cid.CompareTo(read));
            Assert.Equal(cid.GetHashCode(), read.GetHashCode());
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_version_0_cid_survives_text_and_bytes()
    {
        var random = new Random(1);
        for (var i = 0; i < 1000; i++)
        {
            var digest = new byte[32];
            random.NextBytes(digest);
            var cid = Cid.CreateV0(Multihash.Create(MultihashCode.Sha2_256, digest));
            Assert.StartsWith("Qm", cid.ToString(), StringComparison.Ordinal);
            Assert.Equal(cid, Cid.Parse(cid.ToString()));
            Assert.Equal(cid, Cid.FromBytes(cid.Bytes));
            Assert.Equal(0, cid.Version);
            Assert.Equal(Multicodec.DagPb, cid.Codec);
            Assert.Equal(cid.Multihash, cid.ToV1().Multihash);
        }
    }

    [Fact]
    public void The_undefined_cid_is_equal_to_itself_only()
    {
        Assert.False(default(Cid).IsDefined);
        Assert.Equal(default, default(Cid));
        Assert.NotEqual(default, Cid.Parse("bafkqaaa"));
        Assert.Empty(default(Cid).ToBytes());
    }
}
