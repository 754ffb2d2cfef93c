using System.Text;
using Libp2p;

namespace Fuzz.Libp2p;

/// <summary>Multiaddresses, as bytes and as text.</summary>
public static class MultiaddrTarget
{
    /// <summary>The target.</summary>
    public static void Fuzz(ReadOnlySpan<byte> input)
    {
        if (Multiaddr.TryFromBytes(input, out var address, out string error))
        {
            Check.That(address.Bytes.SequenceEqual(input), "bytes change by being read");
            Check.That(address.WithoutPeer().Components.Count <= address.Components.Count, "a peer too much");
        }
        else
        {
            Check.That(error.Length > 0, "refused without a reason");
        }
        if (Multiaddr.TryParse(Encoding.UTF8.GetString(input), out var parsed, out error))
        {
            Check.That(Multiaddr.TryParse(parsed.ToString(), out var again, out _) && again == parsed, "canonical text reads otherwise");
            _ = (parsed.IsPublic, parsed.IsPrivate, parsed.IsLoopback, parsed.IsThinWaist, parsed.TryGetTcpEndPoint(out _));
        }
        else
        {
            Check.That(error.Length > 0, "refused without a reason");
        }
        foreach (var line in PeerstoreFile.Usable(PeerstoreFile.Parse(Encoding.UTF8.GetString(input)))) Check.That(line.PeerId is not null, "an address of nobody");
    }
}

/// <summary>Peer ids and keys.</summary>
public static class KeyTarget
{
    /// <summary>The target.</summary>
    public static void Fuzz(ReadOnlySpan<byte> input)
    {
        if (PeerId.TryFromBytes(input, out var id, out _))
        {
            Check.That(PeerId.TryParse(id.ToCidString(), out var again, out _) && again == id, "the CID of an id is another id");
            _ = id.TryExtractPublicKey(out _, out _);
        }
        _ = PeerId.TryParse(Encoding.UTF8.GetString(input), out _, out _);
        if (PublicKey.TryFromProtobuf(input, out var key, out _))
        {
            Check.That(PublicKey.TryFromProtobuf(key.ToProtobuf(), out var again, out _) && again.Equals(key), "a key changes by being written");
            key.Verify(input, input);
        }
        if (PrivateKey.TryFromProtobuf(input, out var secret, out _)) _ = secret.PeerId;
        try
        {
            NetworkSecret.FromKeyFile(input);
        }
        catch (NetworkSecretFormatException)
        {
            // No key file.
        }
        try
        {
            Identity.FromJson(Encoding.UTF8.GetString(input));
        }
        catch (IdentityFormatException)
        {
            // No identity.
        }
    }
}
