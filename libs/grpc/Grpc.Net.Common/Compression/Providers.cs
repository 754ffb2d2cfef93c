using System.IO.Compression;

namespace Grpc.Net.Compression;

/// <summary>The encoding <c>gzip</c>.</summary>
public sealed class GzipCompressionProvider : ICompressionProvider
{
    /// <summary>RFC 1952: header, an empty final block, CRC-32 and length 0.</summary>
    private static readonly byte[] emptyArchive = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    private readonly CompressionLevel level;

    /// <summary>Compresses at a level unless a call asks for another.</summary>
    public GzipCompressionProvider(CompressionLevel defaultCompressionLevel) => level = defaultCompressionLevel;

    /// <inheritdoc/>
    public string EncodingName => "gzip";

    /// <inheritdoc/>
    public Stream CreateCompressionStream(Stream stream, CompressionLevel? compressionLevel) =>
        new NeverEmptyStream(new GZipStream(stream, compressionLevel ?? level, leaveOpen: true), stream, emptyArchive);

    /// <inheritdoc/>
    public Stream CreateDecompressionStream(Stream stream) => new GZipStream(stream, CompressionMode.Decompress, leaveOpen: true);
}

/// <summary>The encoding <c>deflate</c>, which in HTTP is the zlib format.</summary>
public sealed class DeflateCompressionProvider : ICompressionProvider
{
    /// <summary>RFC 1950: header, an empty final block, Adler-32 of nothing.</summary>
    private static readonly byte[] emptyArchive = [0x78, 0x9c, 3, 0, 0, 0, 0, 1];

    private readonly CompressionLevel level;

    /// <summary>Compresses at a level unless a call asks for another.</summary>
    public DeflateCompressionProvider(CompressionLevel defaultCompressionLevel) => level = defaultCompressionLevel;

    /// <inheritdoc/>
    public string EncodingName => "deflate";

    /// <inheritdoc/>
    public Stream CreateCompressionStream(Stream stream, CompressionLevel? compressionLevel) =>
        new NeverEmptyStream(new ZLibStream(stream, compressionLevel ?? level, leaveOpen: true), stream, emptyArchive);

    /// <inheritdoc/>
    public Stream CreateDecompressionStream(Stream stream) => new ZLibStream(stream, CompressionMode.Decompress, leaveOpen: true);
}
