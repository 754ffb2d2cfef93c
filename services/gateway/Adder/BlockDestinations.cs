using Cluster.Contracts.V1;
using Cluster.Gateway.Http;
using Cluster.Gateway.Json;
using Cluster.Gateway.Rest;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Adder;

/// <summary>Sends the blocks of an add to the daemons of several peers at once: to our own through the connector, to the others through
/// consensus. The slowest one sets the pace; one that fails is left out, and the add goes on while one is left
/// (<c>spec/rest-api.md</c> section 9.5).</summary>
public sealed class BlockDestinations : IAsyncDisposable
{
    /// <summary>What the client is told when nobody took the blocks.</summary>
    public const string AllFailed = "failed to put block on all destinations";

    // A message of blocks; small enough for a gRPC message, large enough to hide its cost.
    private const int MessageBytes = 1024 * 1024;
    private const int MessageBlocks = 256;

    // A failure of all destinations ends a small add at its end and a large one at once.
    private const long Patience = 4 * 1024 * 1024;

    private readonly List<BlockRoute> routes = [];
    private readonly ILogger logger;
    private List<Block> pending = [];
    private int pendingBytes;
    private long sentBytes;

    /// <summary>Opens the streams: one to our own daemon, and one for all other peers together.</summary>
    /// <param name="peer">The services.</param>
    /// <param name="self">Our own peer id.</param>
    /// <param name="peers">Who gets the blocks.</param>
    /// <param name="logger">Facility adder.</param>
    /// <param name="cancellation">Ends everything: the client has gone.</param>
    public BlockDestinations(PeerClient peer, ByteString self, IReadOnlyList<ByteString> peers, ILogger logger, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(peer);
        this.logger = logger;
        if (peers.Contains(self)) routes.Add(new ConnectorRoute(peer, self));
        ByteString[] others = [.. peers.Where(id => id != self).Distinct()];
        if (others.Length > 0) routes.Add(new NetworkRoute(peer, others));
        foreach (BlockRoute route in routes) route.Start(cancellation);
    }

    /// <summary>Takes a block on its way; waits while the destinations are busy.</summary>
    public async ValueTask PutAsync(ReadOnlyMemory<byte> cid, ReadOnlyMemory<byte> data, CancellationToken cancellation)
    {
        pending.Add(new Block { Cid = UnsafeByteOperations.UnsafeWrap(cid), Data = UnsafeByteOperations.UnsafeWrap(data) });
        pendingBytes += data.Length;
        if (pendingBytes >= MessageBytes || pending.Count >= MessageBlocks) await SendAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Waits until the destinations have taken all blocks. Those that failed are logged, and the add goes on without them.</summary>
    /// <exception cref="AddException">None took them.</exception>
    public async ValueTask FinishAsync(CancellationToken cancellation)
    {
        if (pending.Count > 0) await SendAsync(cancellation).ConfigureAwait(false);
        foreach (BlockRoute route in routes) await route.FinishAsync(cancellation).ConfigureAwait(false);
        foreach ((ByteString failed, string reason) in routes.SelectMany(route => route.Failures))
            GatewayLog.DestinationFailed(logger, System.Text.Encoding.ASCII.GetString(PeerText.Of(failed)), reason);
        if (routes.TrueForAll(route => !route.IsAnyLeft)) throw new AddException(AllFailed);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (BlockRoute route in routes) await route.DisposeAsync().ConfigureAwait(false);
    }

    private async ValueTask SendAsync(CancellationToken cancellation)
    {
        List<Block> message = pending;
        sentBytes += pendingBytes;
        pending = new List<Block>(message.Count);
        pendingBytes = 0;
        foreach (BlockRoute route in routes) await route.SendAsync(message, cancellation).ConfigureAwait(false);
        if (sentBytes > Patience && routes.TrueForAll(route => !route.IsAnyLeft)) throw new AddException(AllFailed);
    }
}
