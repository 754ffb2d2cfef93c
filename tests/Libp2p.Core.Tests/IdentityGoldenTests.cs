using System.Text.Json;
using Libp2p.Testing;
using Xunit;

namespace Libp2p.Core.Tests;

[Trait("Category", "Golden")]
public sealed class IdentityGoldenTests
{
    private static readonly JsonElement File = Golden.Read("bytes/identity/identity.json");

    [Fact]
    public void Identity_documents_load_or_are_refused_as_recorded() =>
        Golden.ForEach(File.List("identities"), i => i.Text("name")!, i =>
        {
            if (i.Text("error") is not null)
            {
                Assert.Throws<IdentityFormatException>(() => Identity.FromJson(i.Text("identity_json")!));
                return;
            }
            var identity = Identity.FromJson(i.Text("identity_json")!);
            Assert.Equal(i.Text("key_type"), identity.Key.Type switch { KeyType.Rsa => "RSA", KeyType.Ecdsa => "ECDSA", var t => t.ToString() });
            Assert.Equal(i.Text("peer_id"), identity.Id.ToString());
            Assert.Equal(i.Text("peer_id_hex"), Golden.Hex(identity.Id.Bytes));
            Assert.Equal(i.Text("peer_id_cid"), identity.Id.ToCidString());
            Assert.Equal(i.Text("public_key_protobuf_hex"), Golden.Hex(identity.Key.PublicKey.ToProtobuf()));
            Assert.True(identity.Key.Verify(System.Text.Encoding.UTF8.GetBytes(i.Text("signed_text")!), i.Hex("signature_hex")));
            Assert.Equal(i.Text("written_again"), identity.ToJson());
        });

    [Fact]
    public void Peer_id_texts_are_read_as_recorded() =>
        Golden.ForEach(File.List("peer_id_text"), c => c.Text("in")!, c =>
        {
            bool ok = PeerId.TryParse(c.Text("in"), out var id, out string error);
            Assert.True(c.Text("error") is null == ok, error);
            if (!ok) return;
            Assert.Equal(c.Text("peer_id"), id.ToString());
            Assert.Equal(c.Text("hex"), Golden.Hex(id.Bytes));
        });
}
