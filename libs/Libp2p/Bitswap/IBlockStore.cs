using System.Collections.Concurrent;
using Ipld;

namespace Libp2p.Bitswap;

/// <summary>A block: bytes and the CID that names them.</summary>
public readonly record struct Block(Cid Cid, ReadOnlyMemory<byte> Data);

/// <summary>Where the blocks lie that are served, and go that are fetched. Called from any thread.</summary>
public interface IBlockStore
{
    /// <summary>The bytes of a block; null when it is not there.</summary>
    ValueTask<ReadOnlyMemory<byte>?> GetAsync(Cid cid, CancellationToken cancellationToken);

    /// <summary>Bytes of a block; null when it is not there.</summary>
    ValueTask<int?> GetSizeAsync(Cid cid, CancellationToken cancellationToken);

    /// <summary>Keeps a fetched block, whose hash was checked. A store that is filled otherwise may do nothing here.</summary>
    ValueTask PutAsync(Block block, CancellationToken cancellationToken);
}

/// <summary>Blocks in memory, without a bound: for tools and tests.</summary>
public sealed class InMemoryBlockStore : IBlockStore
{
    private readonly ConcurrentDictionary<Cid, ReadOnlyMemory<byte>> blocks = new();

    /// <summary>Blocks in it.</summary>
    public int Count => blocks.Count;

    /// <summary>Whether a block is there.</summary>
    public bool Contains(Cid cid) => blocks.ContainsKey(cid);

    /// <summary>Adds a block.</summary>
    public void Add(Block block) => blocks[block.Cid] = block.Data;

    /// <inheritdoc/>
    public ValueTask<ReadOnlyMemory<byte>?> GetAsync(Cid cid, CancellationToken cancellationToken) =>
        new(blocks.TryGetValue(cid, out var data) ? data : (ReadOnlyMemory<byte>?)null);

    /// <inheritdoc/>
    public ValueTask<int?> GetSizeAsync(Cid cid, CancellationToken cancellationToken) =>
        new(blocks.TryGetValue(cid, out var data) ? data.Length : null);

    /// <inheritdoc/>
    public ValueTask PutAsync(Block block, CancellationToken cancellationToken)
    {
        Add(block);
        return default;
    }
}
