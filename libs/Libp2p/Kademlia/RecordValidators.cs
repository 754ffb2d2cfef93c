using System.Text;

namespace Libp2p.Kademlia;

/// <summary>Judges the records of one namespace.</summary>
public interface IRecordValidator
{
    /// <summary>Whether a value may stand under a key.</summary>
    bool IsValid(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value);

    /// <summary>Whether a valid value is to take the place of another valid one.</summary>
    bool IsBetter(ReadOnlySpan<byte> candidate, ReadOnlySpan<byte> current);
}

/// <summary><c>/pk/</c> and a peer id: the public key of that peer.</summary>
public sealed class PublicKeyValidator : IRecordValidator
{
    private static ReadOnlySpan<byte> Prefix => "/pk/"u8;

    /// <inheritdoc/>
    public bool IsValid(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) =>
        key.StartsWith(Prefix) && PeerId.TryFromBytes(key[Prefix.Length..], out var peer, out _)
        && PublicKey.TryFromProtobuf(value, out var publicKey, out _) && peer.Matches(publicKey);

    /// <inheritdoc/>
    public bool IsBetter(ReadOnlySpan<byte> candidate, ReadOnlySpan<byte> current) => false;
}

/// <summary>Finds the validator of a key.</summary>
internal static class RecordNamespace
{
    public static IRecordValidator? ValidatorOf(this KademliaOptions options, ReadOnlySpan<byte> key)
    {
        if (key.Length < 3 || key[0] != '/') return null;
        int end = key[1..].IndexOf((byte)'/');
        return end > 0 && options.Validators.TryGetValue(Encoding.UTF8.GetString(key.Slice(1, end)), out var validator) ? validator : null;
    }
}
