using System.Buffers.Binary;

namespace Ipld.Tests;

public sealed class CarTests
{
    [Fact]
    public async Task A_car_of_version_2_is_read_through_when_allowed()
    {
        var block = "hello"u8.ToArray();
        var cid = CidPrefix.V1.Sum(Multicodec.Raw, block);
        var inner = new MemoryStream();
        await CarWriter.WriteHeaderAsync(inner, [cid], CancellationToken.None);
        await CarWriter.WriteBlockAsync(inner, cid, block, CancellationToken.None);
        var car = Version2(inner.ToArray(), padding: 1000);

        using var reader = await CarReader.OpenAsync(new MemoryStream(car), acceptVersion2: true, CancellationToken.None);
        Assert.Equal(2, reader.Version);
        Assert.Equal([cid], reader.Roots);
        var read = await reader.ReadBlockAsync(CancellationToken.None);
        Assert.Equal(cid, read!.Value.Cid);
        Assert.Equal(block, read.Value.Data.ToArray());
        Assert.Null(await reader.ReadBlockAsync(CancellationToken.None));
        var refused = await Assert.ThrowsAsync<CarException>(async () => await CarReader.OpenAsync(new MemoryStream(car), acceptVersion2: false, CancellationToken.None));
        Assert.Equal("invalid car version: 2", refused.Message);
    }

    [Fact]
    public async Task A_large_length_that_is_only_claimed_takes_no_memory()
    {
        var inner = new MemoryStream();
        await CarWriter.WriteHeaderAsync(inner, [Cid.Parse("bafkqaaa")], CancellationToken.None);
        inner.Write(Varint.ToBytes(CarReader.MaxSectionSize));
        using var reader = await CarReader.OpenAsync(new MemoryStream(inner.ToArray()), acceptVersion2: false, CancellationToken.None);
        var before = GC.GetAllocatedBytesForCurrentThread();
        await Assert.ThrowsAsync<CarException>(async () => await reader.ReadBlockAsync(CancellationToken.None));
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
    }

    /// <summary>A CARv2 around a CARv1, with bytes between and an index (of nonsense) behind.</summary>
    internal static byte[] Version2(byte[] inner, int padding)
    {
        var header = new byte[40];
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(16), (ulong)(51 + padding));
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(24), (ulong)inner.Length);
        return [.. Convert.FromHexString("0aa16776657273696f6e02"), .. header, .. new byte[padding], .. inner, 1, 2, 3, 4, 5];
    }
}
