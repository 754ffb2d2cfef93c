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
    private readonly CancellationTokenSource _limit = new(TimeSpan.FromSeconds(60));
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
        _limit.Dispose();
    }

    [Fact]
    public async Task A_block_that_nobody_has_is_given_up_after_two_minutes()
    {
        var block = BlockId.Of("lost"u8);
        _fetcher.Want([(block, null)]);
        for (var spent = TimeSpan.Zero; spent < BlockFetcher.FetchTimeout; spent += TimeSpan.FromSeconds(10))
        {
            await _network.Refused.WaitAsync(_limit.Token);
            Assert.Equal(0, _delivered.Reader.Count);
            _clock.Advance(TimeSpan.FromSeconds(10));
        }

        Assert.Equal(new CrdtInput.Unavailable(block), await DeliveredAsync());
        Assert.Equal(0, _network.Refused.CurrentCount);
    }

    [Fact]
    public async Task Blocks_that_nobody_has_do_not_hold_up_one_that_is_there()
    {
        _fetcher.Want([.. Enumerable.Range(0, 500).Select(i => (BlockId.Of(BitConverter.GetBytes(i)), (PeerId?)null))]);
        for (var i = 0; i < BlockFetcher.Workers; i++)
            await _network.Refused.WaitAsync(_limit.Token);
        var (block, bytes) = _network.Add("there"u8.ToArray());
        _fetcher.Want([(block, Peer.Id(7))]);
        _clock.Advance(TimeSpan.FromSeconds(10));
        var arrived = Assert.IsType<CrdtInput.Arrived>(await DeliveredAsync());
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
            blocks.Add(Assert.IsType<CrdtInput.Arrived>(await DeliveredAsync()).Block);
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
        Assert.Equal(new CrdtInput.Unavailable(block), await DeliveredAsync());
    }

    [Fact]
    public async Task Ancestors_are_read_no_faster_than_they_are_merged()
    {
        const int told = 60;
        var chain = ChainOf(BlockFetcher.OneByOne + told, size: 1 << 20);
        Give(chain.Take(BlockFetcher.OneByOne));
        _network.Teller = new Teller();
        foreach (var (_, bytes) in chain.Skip(BlockFetcher.OneByOne))
            _network.Teller.Say(bytes);
        _network.Teller.End();
        _fetcher.Want([(chain[0].Block, Peer.Id(7))]);

        // Nothing is merged before the fetcher has all that it may have: 32 MiB.
        var arrived = new List<CrdtInput.Arrived>();
        while (arrived.Sum(a => a.Size) <= 32 << 20)
            arrived.Add(Assert.IsType<CrdtInput.Arrived>(await DeliveredAsync()));
        Assert.Equal(arrived.Count - BlockFetcher.OneByOne, _network.Teller.Asked);
        for (var i = 0; i < chain.Count; i++)
        {
            if (i == arrived.Count)
                arrived.Add(Assert.IsType<CrdtInput.Arrived>(await DeliveredAsync()));
            Assert.Equal(chain[i].Block, arrived[i].Block);
            _fetcher.Settled(arrived[i].Block, arrived[i].Size);
        }

        Assert.Equal(BlockFetcher.OneByOne, _network.Answers);
    }

    [Fact]
    public async Task A_block_that_is_asked_for_elsewhere_is_taken_from_who_tells_it_before_its_ancestors_and_once()
    {
        var chain = ChainOf(BlockFetcher.OneByOne + 3);
        var late = chain[BlockFetcher.OneByOne + 1];
        _fetcher.Want([(late.Block, Peer.Id(8))]);
        await _network.Refused.WaitAsync(_limit.Token);
        Give(chain.Take(BlockFetcher.OneByOne));
        _network.Teller = new Teller();
        foreach (var (_, bytes) in chain.Skip(BlockFetcher.OneByOne))
            _network.Teller.Say(bytes);
        _fetcher.Want([(chain[0].Block, Peer.Id(7))]);
        foreach (var (block, _) in chain)
            Assert.Equal(block, Assert.IsType<CrdtInput.Arrived>(await DeliveredAsync()).Block);

        // What comes from elsewhere after all is not delivered again: what comes next is another block.
        _network.Give(late.Block, late.Bytes);
        await _network.Answered.WaitAsync(_limit.Token);
        var (other, _) = _network.Add(Node());
        _fetcher.Want([(other, null)]);
        Assert.Equal(other, Assert.IsType<CrdtInput.Arrived>(await DeliveredAsync()).Block);
    }

    [Fact]
    public async Task What_was_promised_and_did_not_come_is_fetched()
    {
        var chain = ChainOf(BlockFetcher.OneByOne + 3);
        Give(chain);
        _network.Teller = new Teller();
        _network.Teller.Say(chain[BlockFetcher.OneByOne].Bytes);
        _network.Teller.End();
        _fetcher.Want([(chain[0].Block, Peer.Id(7))]);
        foreach (var (block, _) in chain)
            Assert.Equal(block, Assert.IsType<CrdtInput.Arrived>(await DeliveredAsync()).Block);
        Assert.Equal(chain.Count - 1, _network.Answers);
        Assert.True(_network.Teller.IsAvoided);
    }

    [Fact]
    public async Task What_is_promised_can_be_asked_for_anew_after_it_was_forgotten()
    {
        var chain = ChainOf(BlockFetcher.OneByOne + 2);
        Give(chain);
        var teller = _network.Teller = new Teller();
        teller.Say(chain[BlockFetcher.OneByOne].Bytes);
        _fetcher.Want([(chain[0].Block, Peer.Id(7))]);
        for (var i = 0; i <= BlockFetcher.OneByOne; i++)
            Assert.Equal(chain[i].Block, Assert.IsType<CrdtInput.Arrived>(await DeliveredAsync()).Block);
        _network.Teller = null;
        _fetcher.Forget();
        await teller.Ended;
        Assert.False(teller.IsAvoided);
        _fetcher.Want([(chain[^1].Block, null)]);
        Assert.Equal(chain[^1].Block, Assert.IsType<CrdtInput.Arrived>(await DeliveredAsync()).Block);
    }

    private void Give(IEnumerable<(BlockId Block, byte[] Bytes)> blocks)
    {
        foreach (var (block, bytes) in blocks)
            _network.Give(block, bytes);
    }

    /// <summary>Nodes from the highest to the lowest, each with a link to the next.</summary>
    private static List<(BlockId Block, byte[] Bytes)> ChainOf(int length, int size = 0)
    {
        var chain = new List<(BlockId Block, byte[] Bytes)>();
        for (var i = 1; i <= length; i++)
        {
            var delta = new Delta { Elements = [new DeltaElement("/key", new byte[size])], Priority = (ulong)i };
            var bytes = new DagNode { Links = i == 1 ? [] : [chain[^1].Block], Delta = delta }.Encode();
            chain.Add((BlockId.Of(bytes), bytes));
        }

        chain.Reverse();
        return chain;
    }

    private async Task<CrdtInput> DeliveredAsync() => await _delivered.Reader.ReadAsync(_limit.Token);

    private static byte[] Node(params BlockId[] links) =>
        new DagNode { Links = links, Delta = new Delta { Priority = (ulong)links.Length + 1 } }.Encode();

    /// <summary>A peer that tells what it is given as ancestors.</summary>
    private sealed class Teller : IAncestorReader
    {
        private readonly Channel<byte[]> _words = Channel.CreateUnbounded<byte[]>();
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _asked;

        public PeerId Peer { get; } = Tests.Peer.Id(9);

        public int Asked => Volatile.Read(ref _asked);

        public bool IsAvoided { get; private set; }

        public Task Ended => _ended.Task;

        public void Say(byte[] block) => Assert.True(_words.Writer.TryWrite(block));

        public void End() => _words.Writer.Complete();

        public async ValueTask<ReadOnlyMemory<byte>?> NextAsync(CancellationToken cancellationToken)
        {
            if (!await _words.Reader.WaitToReadAsync(cancellationToken))
                return null;
            Interlocked.Increment(ref _asked);
            return await _words.Reader.ReadAsync(cancellationToken);
        }

        public void Avoid() => IsAvoided = true;

        public ValueTask DisposeAsync()
        {
            _ended.TrySetResult();
            return default;
        }
    }

    /// <summary>Gives what it has at once, and keeps the others waiting.</summary>
    private sealed class Blocks : ICrdtNetwork
    {
        private readonly ConcurrentDictionary<Cid, byte[]> _blocks = new();
        private readonly ConcurrentDictionary<Cid, TaskCompletionSource> _wanted = new();
        private int _waiting;
        private int _answers;

        /// <summary>Who tells ancestors; nobody by default.</summary>
        public Teller? Teller { get; set; }

        public ConcurrentDictionary<Cid, PeerId?> Asked { get; } = new();

        /// <summary>Counts the questions that are kept waiting from then on.</summary>
        public SemaphoreSlim Refused { get; } = new(0);

        /// <summary>Counts those that wait no longer.</summary>
        public SemaphoreSlim Answered { get; } = new(0);

        public int MostWaiting { get; private set; }

        public int Answers => Volatile.Read(ref _answers);

        public (BlockId Block, byte[] Bytes) Add(byte[] bytes)
        {
            var block = BlockId.Of(bytes);
            Give(block, bytes);
            return (block, bytes);
        }

        public void Give(BlockId block, byte[] bytes)
        {
            _blocks[block.ToCid()] = bytes;
            if (_wanted.TryGetValue(block.ToCid(), out var wanted))
                wanted.TrySetResult();
        }

        public void Announce(ReadOnlyMemory<byte> message)
        {
        }

        public IAncestorReader? ReadAncestors(IReadOnlyCollection<BlockId> blocks, PeerId? announcedBy) =>
            Teller is { IsAvoided: false } teller ? teller : null;

        public async Task<ReadOnlyMemory<byte>> FetchAsync(Cid block, PeerId? announcedBy, CancellationToken cancellationToken)
        {
            Asked[block] = announcedBy;
            var wanted = _wanted.GetOrAdd(block, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            if (!_blocks.ContainsKey(block))
            {
                MostWaiting = Math.Max(MostWaiting, Interlocked.Increment(ref _waiting));
                Refused.Release();
                try
                {
                    await wanted.Task.WaitAsync(cancellationToken);
                }
                finally
                {
                    Interlocked.Decrement(ref _waiting);
                    Answered.Release();
                }
            }

            Interlocked.Increment(ref _answers);
            return _blocks[block];
        }
    }
}
