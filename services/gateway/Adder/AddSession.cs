using Cluster.Contracts.V1;
using Cluster.Gateway.Rest;
using Google.Protobuf;
using Ipld;
using Microsoft.Extensions.Logging;
using PinOptions = Cluster.Model.PinOptions;

namespace Cluster.Gateway.Adder;

/// <summary>Where the blocks and the root of one add go: peers to hold them are asked of the cluster when the first block comes.</summary>
internal abstract class AddSession(PeerClient peer, AddParameters parameters, ILogger logger) : IBlockSink, IAsyncDisposable
{
    private ByteString self = ByteString.Empty;

    /// <summary>Peers that receive the blocks now, for the output objects.</summary>
    public IReadOnlyList<ByteString> Allocations { get; protected set; } = [];

    protected PeerClient Peer => peer;

    protected AddParameters Parameters => parameters;

    /// <inheritdoc/>
    public abstract ValueTask WriteAsync(IpldBlock block, CancellationToken cancellationToken);

    /// <summary>Waits for the blocks and pins what is to be pinned.</summary>
    public abstract ValueTask FinishAsync(Cid root, CancellationToken cancellation);

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();

    /// <summary>Asks who is to hold the blocks, and opens streams to them.</summary>
    protected async ValueTask<BlockDestinations> AllocateAsync(CancellationToken cancellation)
    {
        await AskOwnIdAsync(cancellation).ConfigureAwait(false);
        var request = new BlockAllocateRequest { Options = parameters.Options.Message() };
        BlockAllocateResponse answer = await peer.UnaryAsync("BlockAllocate", o => peer.Cluster.BlockAllocateAsync(request, o), PeerClient.CallDeadline, cancellation).ConfigureAwait(false);
        List<ByteString> allocations = [.. answer.Peers];
        // A local add: the contacted peer takes the place of the last one, unless the user has chosen (spec/rest-api.md 9.1).
        if (parameters.Local && allocations.Count > 0 && !allocations.Contains(self) && parameters.Options.UserAllocations is not { Count: > 0 })
            allocations[^1] = self;
        Allocations = allocations;
        return Open(parameters.Local ? [self] : allocations, cancellation);
    }

    /// <summary>Opens a stream to our own daemon alone.</summary>
    protected async ValueTask<BlockDestinations> OpenOwnAsync(CancellationToken cancellation)
    {
        await AskOwnIdAsync(cancellation).ConfigureAwait(false);
        return Open([self], cancellation);
    }

    /// <summary>Sends a block on; its memory is the importer's, so it is copied.</summary>
    protected static ValueTask PutAsync(BlockDestinations destinations, IpldBlock block, CancellationToken cancellation) =>
        destinations.PutAsync(block.Cid.Memory, block.Data.ToArray(), cancellation);

    /// <summary>Pins something of this add.</summary>
    protected async ValueTask PinAsync(Cid cid, PinOptions options, PinType type, int depth, Cid reference, IReadOnlyList<ByteString> allocations, CancellationToken cancellation)
    {
        var preset = new Pin { Cid = cid.Message(), Type = type, MaxDepth = depth, Reference = reference.Message(), Options = options.Message() };
        preset.Allocations.Add(allocations);
        var call = new Call { Pin = new PinRequest { Cid = preset.Cid, Options = preset.Options, Preset = preset } };
        await peer.CallAsync(call, cancellation).ConfigureAwait(false);
    }

    private BlockDestinations Open(IReadOnlyList<ByteString> peers, CancellationToken cancellation) => new(peer, self, peers, logger, cancellation);

    private async ValueTask AskOwnIdAsync(CancellationToken cancellation)
    {
        if (self.IsEmpty) self = await peer.OwnIdAsync(cancellation).ConfigureAwait(false);
    }
}

/// <summary>An add whose DAG is pinned as a whole.</summary>
internal sealed class SingleAdd(PeerClient peer, AddParameters parameters, ILogger logger) : AddSession(peer, parameters, logger)
{
    private BlockDestinations? destinations;

    public override async ValueTask WriteAsync(IpldBlock block, CancellationToken cancellationToken)
    {
        destinations ??= await AllocateAsync(cancellationToken).ConfigureAwait(false);
        await PutAsync(destinations, block, cancellationToken).ConfigureAwait(false);
    }

    public override async ValueTask FinishAsync(Cid root, CancellationToken cancellation)
    {
        destinations ??= await AllocateAsync(cancellation).ConfigureAwait(false);
        await destinations.FinishAsync(cancellation).ConfigureAwait(false);
        if (Parameters.NoPin) return;
        // Everywhere needs no list of peers; what the factor is after defaults, consensus knows.
        await PinAsync(root, Parameters.Options, PinType.Data, -1, default, Allocations, cancellation).ConfigureAwait(false);
    }

    public override ValueTask DisposeAsync() => destinations?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>An add whose blocks are spread over shards, each with peers of its own (<c>spec/rest-api.md</c> section 9.6).</summary>
internal sealed class ShardedAdd : AddSession, IShardStore
{
    // The root of a sharded DAG and its cluster DAG are never pinned with their children.
    private const int NoDepth = 0;

    private readonly IAddOutput output;
    private readonly ShardingSink sharding;
    private BlockDestinations? destinations;

    public ShardedAdd(PeerClient peer, AddParameters parameters, IAddOutput output, ILogger logger)
        : base(peer, parameters, logger)
    {
        this.output = output;
        sharding = new ShardingSink(parameters.Options.ShardSize, this);
    }

    public override ValueTask WriteAsync(IpldBlock block, CancellationToken cancellationToken) => sharding.WriteAsync(block, cancellationToken);

    public async ValueTask BeginShardAsync(int index, CancellationToken cancellationToken) =>
        destinations = await AllocateAsync(cancellationToken).ConfigureAwait(false);

    ValueTask IShardStore.WriteAsync(IpldBlock block, CancellationToken cancellationToken) => PutAsync(destinations!, block, cancellationToken);

    public async ValueTask EndShardAsync(Shard shard, CancellationToken cancellationToken)
    {
        await destinations!.FinishAsync(cancellationToken).ConfigureAwait(false);
        await destinations.DisposeAsync().ConfigureAwait(false);
        destinations = null;
        PinOptions options = Parameters.Options with { Name = $"{Parameters.Options.Name}-shard-{shard.Index}", ShardSize = shard.Size };
        await PinAsync(shard.Root, options, PinType.Shard, shard.Depth, shard.Previous, Allocations, cancellationToken).ConfigureAwait(false);
        await output.WriteAsync(new AddedOutput($"shard-{shard.Index}", shard.Root, 0, shard.Size, Allocations), cancellationToken).ConfigureAwait(false);
    }

    public override async ValueTask FinishAsync(Cid root, CancellationToken cancellation)
    {
        ClusterDag dag = await sharding.FinishAsync(cancellation).ConfigureAwait(false);
        BlockDestinations own = await OpenOwnAsync(cancellation).ConfigureAwait(false);
        await using (own.ConfigureAwait(false))
        {
            foreach (IpldBlock block in dag.Blocks) await PutAsync(own, block, cancellation).ConfigureAwait(false);
            await own.FinishAsync(cancellation).ConfigureAwait(false);
        }

        string name = $"{Parameters.Options.Name}-clusterDAG";
        await output.WriteAsync(new AddedOutput(name, dag.Root, 0, dag.Size, []), cancellation).ConfigureAwait(false);
        PinOptions options = Parameters.Options with { Mode = Model.PinMode.Direct };
        PinOptions everywhere = options with { Name = name, Replication = new Model.ReplicationFactors(-1, -1) };
        await PinAsync(dag.Root, everywhere, PinType.ClusterDag, NoDepth, root, [], cancellation).ConfigureAwait(false);
        await PinAsync(root, options, PinType.Meta, NoDepth, dag.Root, [], cancellation).ConfigureAwait(false);
    }

    public override ValueTask DisposeAsync() => destinations?.DisposeAsync() ?? ValueTask.CompletedTask;
}
