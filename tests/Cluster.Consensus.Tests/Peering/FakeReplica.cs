using System.Collections.Concurrent;
using System.Threading.Channels;
using Cluster.Consensus.CrdtReplication;
using Cluster.Consensus.Replication;
using Cluster.PinState;
using Cluster.PinState.Transfer;
using Crdt;
using Ipld;
using Libp2p;
using Libp2p.Bitswap;

namespace Cluster.Consensus.Tests.Peering;

/// <summary>A replicated set that keeps what it is told: blocks, heads, announcements, trust.</summary>
internal sealed class FakeReplica(PeerId self) : ICrdtReplica, IConsensus
{
    private readonly ConcurrentDictionary<PeerId, bool> _trusted = new();
    private readonly Channel<(PeerId Author, string Message)> _announced = Channel.CreateUnbounded<(PeerId, string)>();

    /// <summary>Whether everybody is trusted.</summary>
    public bool TrustAll { get; set; } = true;

    /// <summary>What was announced to it, in hexadecimal.</summary>
    public ChannelReader<(PeerId Author, string Message)> Announced => _announced.Reader;

    /// <summary>Who was to be taken in.</summary>
    public ConcurrentQueue<PeerId> Added { get; } = new();

    /// <summary>Its heads.</summary>
    public IReadOnlyList<BlockId> Heads { get; set; } = [];

    public InMemoryBlockStore Memory { get; } = new();

    /// <summary>Blocks that were fetched are not kept, as if they waited to be merged.</summary>
    public bool KeepsNothingFetched { get; set; }

    public IBlockStore Blocks => new Store(this);

    public string Kind => "crdt";

    public PinStore State => throw new NotSupportedException("The peering asks nothing of the state.");

    public bool IsTrusted(PeerId author) => TrustAll || author == self || _trusted.ContainsKey(author);

    public void Trust(PeerId peer) => _trusted[peer] = true;

    public void HeadsAnnounced(PeerId author, ReadOnlyMemory<byte> message) => _announced.Writer.TryWrite((author, Convert.ToHexString(message.Span)));

    public ReadOnlyMemory<byte> CurrentHeads() => Heads.Count == 0 ? default(ReadOnlyMemory<byte>) : HeadsMessage.Encode([.. Heads]);

    /// <summary>What happens before a peer is taken in.</summary>
    public Func<PeerId, Task> BeforeAdd { get; set; } = static _ => Task.CompletedTask;

    public async Task AddPeerAsync(PeerId peer, CancellationToken cancellationToken)
    {
        await BeforeAdd(peer);
        Added.Enqueue(peer);
    }

    public Task ReadyAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public ValueTask<ulong> CommitAsync(IReadOnlyList<StateOperation> operations, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<ulong> ImportAsync(Stream input, StateImportOptions options, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<IReadOnlyList<PeerId>> PeersAsync(CancellationToken cancellationToken) => new([self]);

    public Task RemovePeerAsync(PeerId peer, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task CleanAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task ShutdownAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public ValueTask DisposeAsync() => default;

    private sealed class Store(FakeReplica replica) : IBlockStore
    {
        public ValueTask<ReadOnlyMemory<byte>?> GetAsync(Cid cid, CancellationToken cancellationToken) => replica.Memory.GetAsync(cid, cancellationToken);

        public ValueTask<int?> GetSizeAsync(Cid cid, CancellationToken cancellationToken) => replica.Memory.GetSizeAsync(cid, cancellationToken);

        public ValueTask PutAsync(Block block, CancellationToken cancellationToken) =>
            replica.KeepsNothingFetched ? default : replica.Memory.PutAsync(block, cancellationToken);
    }
}
