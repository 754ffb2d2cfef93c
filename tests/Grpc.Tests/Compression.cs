using System.IO.Compression;
using Grpc.Net.Compression;

namespace Grpc.Tests;

/// <summary>The compression providers.</summary>
public sealed class Compression
{
    public static TheoryData<ICompressionProvider> Providers => new(
        new GzipCompressionProvider(CompressionLevel.Optimal),
        new DeflateCompressionProvider(CompressionLevel.Fastest));

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task What_is_compressed_comes_back(ICompressionProvider provider)
    {
        foreach (var length in new[] { 0, 1, 100_000 })
        {
            var data = new byte[length];
            Random.Shared.NextBytes(data);
            var packed = new MemoryStream();
            await using (var stream = provider.CreateCompressionStream(packed, length == 1 ? CompressionLevel.NoCompression : null))
                await stream.WriteAsync(data);
            Assert.NotEqual(0, packed.Length);
            packed.Position = 0;
            var unpacked = new MemoryStream();
            await using (var stream = provider.CreateDecompressionStream(packed))
                await stream.CopyToAsync(unpacked);
            Assert.Equal(data, unpacked.ToArray());
        }
    }
}
