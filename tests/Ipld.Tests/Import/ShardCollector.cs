namespace Ipld.Tests.Import;

/// <summary>Keeps shards, and puts out their objects as the original does.</summary>
internal sealed class ShardCollector(Collector collector) : IShardStore
{
    public List<Shard> Shards { get; } = [];

    public List<List<Cid>> Blocks { get; } = [];

    public ValueTask BeginShardAsync(int index, CancellationToken cancellationToken)
    {
        Assert.Equal(Blocks.Count, index);
        Blocks.Add([]);
        return ValueTask.CompletedTask;
    }

    public ValueTask WriteAsync(IpldBlock block, CancellationToken cancellationToken)
    {
        Blocks[^1].Add(block.Cid);
        return collector.WriteAsync(block, cancellationToken);
    }

    public ValueTask EndShardAsync(Shard shard, CancellationToken cancellationToken)
    {
        Shards.Add(shard);
        return collector.WriteAsync(new ImportOutput($"shard-{shard.Index}", shard.Root, 0, shard.Size), cancellationToken);
    }
}

/// <summary>Hands out one byte at a time.</summary>
internal sealed class SlowStream(byte[] content) : MemoryStream(content)
{
    public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(1, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        base.ReadAsync(buffer[..Math.Min(1, buffer.Length)], cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        base.ReadAsync(buffer, offset, Math.Min(1, count), cancellationToken);
}
