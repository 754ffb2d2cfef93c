using System.Security.Cryptography;
using System.Text;

namespace Cluster.Hosting;

/// <summary>
/// The bearer token of calls between services over TCP, derived from the cluster secret, so that whoever may join the cluster may
/// call and nobody else. Sockets need none: their folder is closed to other users.
/// </summary>
public sealed class ServiceToken
{
    private readonly byte[] header;

    private ServiceToken(string value)
    {
        Value = value;
        header = Encoding.ASCII.GetBytes("Bearer " + value);
    }

    /// <summary>The token: 64 hexadecimal digits.</summary>
    public string Value { get; }

    /// <summary>Derives the token by HKDF with SHA-256.</summary>
    /// <param name="clusterSecret">The 32 bytes of <c>cluster.secret</c>.</param>
    public static ServiceToken FromSecret(ReadOnlySpan<byte> clusterSecret)
    {
        if (clusterSecret.IsEmpty)
            throw new ArgumentException("There is no cluster secret to derive a token from.", nameof(clusterSecret));
        Span<byte> token = stackalloc byte[32];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, clusterSecret, token, [], "ipfscluster.v1 services"u8);
        return new ServiceToken(Convert.ToHexStringLower(token));
    }

    /// <summary>Whether an <c>authorization</c> header carries the token. Takes the same time whatever differs.</summary>
    public bool IsIn(string? authorization) =>
        authorization is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(authorization), header);
}
