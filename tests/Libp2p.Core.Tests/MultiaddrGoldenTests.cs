using System.Text.Json;
using Libp2p.Testing;
using Xunit;

namespace Libp2p.Core.Tests;

[Trait("Category", "Golden")]
public sealed class MultiaddrGoldenTests
{
    private static readonly JsonElement File = Golden.Read("libp2p/multiaddr.json");

    [Fact]
    public void The_table_of_protocols_is_the_recorded_one() =>
        Golden.ForEach(File.List("protocols"), p => p.Text("name")!, p =>
        {
            var protocol = Assert.Single(AddressProtocol.All, a => a.Name == p.Text("name"));
            Assert.Equal(p.GetProperty("code").GetInt32(), protocol.Code);
            Assert.Equal(p.GetProperty("size_bits").GetInt32(), protocol.SizeBits);
            Assert.Equal(p.GetProperty("path").GetBoolean(), protocol.IsPath);
        });

    [Fact]
    public void Text_becomes_the_recorded_bytes_components_and_canonical_text() =>
        Golden.ForEach(File.List("encode"), c => c.Text("text")!, c =>
        {
            var address = Multiaddr.Parse(c.Text("text")!);
            Assert.Equal(c.Text("bytes_hex"), Golden.Hex(address.Bytes));
            Assert.Equal(c.Text("canonical"), address.ToString());
            Assert.Equal(
                c.List("components").Select(x => (x[0].GetString(), x[1].GetInt32(), x[2].GetString())),
                address.Components.Select(x => ((string?)x.Protocol.Name, x.Protocol.Code, (string?)x.Value)));
            Assert.Equal(address, Multiaddr.FromBytes(address.Bytes));
        });

    [Fact]
    public void Bad_text_is_refused_with_a_reason() =>
        Golden.ForEach(File.List("bad_text"), c => c.Text("text")!, c =>
        {
            Assert.False(Multiaddr.TryParse(c.Text("text"), out _, out string error));
            Assert.NotEmpty(error);
        });

    [Fact]
    public void Bytes_decode_as_recorded() =>
        Golden.ForEach(File.List("decode"), c => c.Text("what")!, c =>
        {
            bool ok = Multiaddr.TryFromBytes(c.Hex("bytes_hex"), out var address, out string error);
            Assert.True(c.Text("error") is null == ok, error);
            if (!ok) return;
            Assert.Equal(c.Text("text"), address!.ToString());
            Assert.Equal(c.Text("reencoded_hex"), Golden.Hex(address.Bytes));
        });

    [Fact]
    public void Operations_give_the_recorded_results() =>
        Golden.ForEach(File.List("operations"), c => $"{c.Text("op")} {c.Text("a")} {c.Text("b")}", c =>
        {
            var a = Read(c.Text("a"));
            switch (c.Text("op"))
            {
                case "encapsulate":
                    Assert.Equal(c.Text("result"), a.Encapsulate(Read(c.Text("b"))).ToString());
                    break;
                case "decapsulate":
                    Assert.Equal(c.Text("result"), a.Decapsulate(Read(c.Text("b"))).ToString());
                    break;
                case "equal":
                    Assert.Equal(c.GetProperty("result").GetBoolean(), a == Read(c.Text("b")));
                    break;
                case "peer address (address and peer id)":
                    Assert.Equal(c.Text("peer"), a.PeerId?.ToString());
                    Assert.Equal(c.List("addresses").Select(x => x.GetString()!), a.WithoutPeer() is { IsEmpty: false } rest && a.PeerId is not null ? [rest.ToString()] : []);
                    break;
                case "classify":
                    Assert.Equal(
                        ("public", c.GetProperty("public").GetBoolean(), "private", c.GetProperty("private").GetBoolean(), "loopback", c.GetProperty("loopback").GetBoolean()),
                        ("public", a.IsPublic, "private", a.IsPrivate, "loopback", a.IsLoopback));
                    Assert.Equal(
                        ("unspecified", c.GetProperty("unspecified").GetBoolean(), "ll", c.GetProperty("ip6_link_local").GetBoolean(), "thin", c.GetProperty("thin_waist").GetBoolean()),
                        ("unspecified", a.IsUnspecified, "ll", a.IsIp6LinkLocal, "thin", a.IsThinWaist));
                    break;
                case var other:
                    Assert.Fail("unknown operation " + other);
                    break;
            }
        });

    private static Multiaddr Read(string? text) => string.IsNullOrEmpty(text) ? Multiaddr.Empty : Multiaddr.Parse(text);
}
