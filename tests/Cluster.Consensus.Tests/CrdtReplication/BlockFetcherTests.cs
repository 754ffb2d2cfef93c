using System.Collections.Concurrent;
using System.Threading.Channels;
using Cluster.Consensus.CrdtReplication;
using Crdt;
using Ipld;
using Libp2p;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cluster.Consensus.Tests.CrdtReplication;

public sealed class BlockFetcherTests : IAsyncLifetime
{
    private readonly ManualClock _clock = new();
    private readonly Channel<CrdtInput> _delivered = Channel.CreateUnbounded<CrdtInput>();
    private readonly Blocks _network = new();
    private readonly CrdtPeer _peer = new(1, new MemoryNetwork());
    private readonly BlockFetcher _fetcher;

    public BlockFetcherTests() =>
        _fetcher = new BlockFetcher(_network, _peer.Set, _clock, NullLogger.Instance, input => Assert.True(_delivered.Writer.TryWrite(input)));

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _fetcher.DisposeAsync();
        await _peer.DisposeAsync();
    }

    [Fact]
    public async Task A_block_that_nobody_has_is_given_up_after_two_minutes()
    {
        var block = BlockId.Of("lost"u8);
        _fetcher.Want([(block, null)]);
        var started = _clock.GetUtcNow();
        while (_delivered.Reader.Count == 0)
        {
            if (_network.Waiting == 1)
                _clock.Advance(TimeSpan.FromSeconds(10));
            await Task.Yield();
        }

        Assert.Equal(new CrdtInput.Unavailable(block), await _delivered.Reader.ReadAsync());

        // Later by what the clock ran on while the news was under way.
        Assert.InRange(_clock.GetUtcNow() - started, BlockFetcher.FetchTimeout, TimeSpan.MaxValue);
    }

    [Fact]
    public async Task Blocks_that_nobody_has_do_not_hold_up_one_that_is_there()
    {
        _fetcher.Want([.. Enumerable.Range(0, 500).Select(i => (BlockId.Of(BitConverter.GetBytes(i)), (PeerId?)null))]);
        while (_network.Waiting < BlockFetcher.Workers)
            await Task.Yield();
        var (block, bytes) = _network.Add("there"u8.ToArray());
        _fetcher.Want([(block, Peer.Id(7))]);
        _clock.Advance(TimeSpan.FromSeconds(10));
        var arrived = Assert.IsType<CrdtInput.Arrived>(await _delivered.Reader.ReadAsync());
        Assert.Equal(block, arrived.Block);
        Assert.Equal(bytes, arrived.Bytes.ToArray());
        Assert.Equal(Peer.Id(7), _network.Asked[block.ToCid()]);
        Assert.InRange(_network.MostWaiting, 1, BlockFetcher.Workers);
    }

    [Fact]
    public async Task Links_are_fetched_ahead_and_nothing_twice()
    {
        var (last, _) = _network.Add(Node());
        var (middle, _) = _network.Add(Node(last));
        var (first, _) = _network.Add(Node(middle, last));
        _fetcher.Want([(first, Peer.Id(7)), (first, Peer.Id(8))]);
        var blocks = new List<BlockId>();
        for (var i = 0; i < 3; i++)
            blocks.Add(Assert.IsType<CrdtInput.Arrived>(await _delivered.Reader.ReadAsync()).Block);
        Assert.Equal(first, blocks[0]);
        Assert.Equal(new[] { first, middle, last }.Order(), blocks.Order());
        _fetcher.Want([(last, null), (middle, null)]); // not merged yet: they are here
        Assert.Equal(3, _network.Answers);
    }

    [Fact]
    public async Task Other_bytes_than_those_of_the_block_are_refused()
    {
        var block = BlockId.Of("asked"u8);
        _network.Give(block, "given"u8.ToArray());
        _fetcher.Want([(block, null)]);
        Assert.Equal(new CrdtInput.Unavailable(block), await _delivered.Reader.ReadAsync());
    }

    private static byte[] Node(params BlockId[] links) =>
        new DagNode { Links = links, Delta = new Delta { Priority = (ulong)links.Length + 1 } }.Encode();

    /// <summary>Gives what it has at once, and keeps the others waiting.</summary>
    private sealed class Blocks : ICrdtNetwork
    {
        private readonly ConcurrentDictionary<Cid, byte[]> _blocks = new();
        private int _waiting;
        private int _answers;

        public ConcurrentDictionary<Cid, PeerId?> Asked { get; } = new();

        public int Waiting => Volatile.Read(ref _waiting);

        public int MostWaiting { get; private set; }

        public int Answers => Volatile.Read(ref _answers);

        public (BlockId Block, byte[] Bytes) Add(byte[] bytes)
        {
            var block = BlockId.Of(bytes);
            Give(block, bytes);
            return (block, bytes);
        }

        public void Give(BlockId block, byte[] bytes) => _blocks[block.ToCid()] = bytes;

        public void Announce(ReadOnlyMemory<byte> message)
        {
        }

        public async Task<ReadOnlyMemory<byte>> FetchAsync(Cid block, PeerId? announcedBy, CancellationToken cancellationToken)
        {
            Asked[block] = announcedBy;
            if (_blocks.TryGetValue(block, out var bytes))
            {
                Interlocked.Increment(ref _answers);
                return bytes;
            }

            MostWaiting = Math.Max(MostWaiting, Interlocked.Increment(ref _waiting));
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            }
            finally
            {
                Interlocked.Decrement(ref _waiting);
            }

            return default;
        }
    }
}
