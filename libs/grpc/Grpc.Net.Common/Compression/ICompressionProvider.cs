using System.IO.Compression;

namespace Grpc.Net.Compression;

/// <summary>One encoding that messages may be compressed with.</summary>
public interface ICompressionProvider
{
    /// <summary>Its name in <c>grpc-encoding</c>.</summary>
    string EncodingName { get; }

    /// <summary>A stream that compresses into another, which it leaves open.</summary>
    Stream CreateCompressionStream(Stream stream, CompressionLevel? compressionLevel);

    /// <summary>A stream that decompresses from another, which it leaves open.</summary>
    Stream CreateDecompressionStream(Stream stream);
}
