using System.Buffers;
using System.Collections.Concurrent;

namespace Libp2p.Muxing;

/// <summary>
/// Equal blocks for what streams have received and nobody has read yet. The array pool of .NET keeps too few of a size for a window
/// of many megabytes, and would allocate anew for each.
/// </summary>
internal sealed class BlockPool : MemoryPool<byte>
{
    public const int BlockSize = 16 * 1024;

    // What is kept at most, 64 MiB; beyond that blocks are left to the collector.
    private const int MaxKept = 4096;

    private readonly ConcurrentQueue<Block> free = new();
    private int kept;

    public static new BlockPool Shared { get; } = new();

    public override int MaxBufferSize => BlockSize;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockSize);
        if (!free.TryDequeue(out var block)) return new Block(this);
        Interlocked.Decrement(ref kept);
        return block.Lend();
    }

    private void Return(Block block)
    {
        if (Interlocked.Increment(ref kept) > MaxKept) Interlocked.Decrement(ref kept);
        else free.Enqueue(block);
    }

    protected override void Dispose(bool disposing)
    {
    }

    private sealed class Block(BlockPool pool) : IMemoryOwner<byte>
    {
        private readonly byte[] bytes = GC.AllocateUninitializedArray<byte>(BlockSize);
        private int lent = 1;

        public Memory<byte> Memory => bytes;

        public Block Lend()
        {
            lent = 1;
            return this;
        }

        public void Dispose()
        {
            if (Interlocked.Exchange(ref lent, 0) == 1) pool.Return(this);
        }
    }
}
