using System.Threading.Channels;
using Cluster.Contracts.V1;
using Cluster.Gateway.Http;
using Cluster.Gateway.Json;
using Cluster.Gateway.Rest;
using Google.Protobuf;
using Grpc.Core;
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

    // Messages on their way to a destination; with them wait at most a few MiB in memory.
    private const int MostMessages = 4;

    // A failure of all destinations ends a small add at its end and a large one at once.
    private const long Patience = 4 * 1024 * 1024;

    private readonly List<Destination> destinations = [];
    private readonly ILogger logger;
    private List<Block> pending = [];
    private int pendingBytes;
    private long sentBytes;

    /// <summary>Opens the streams.</summary>
    /// <param name="peer">The services.</param>
    /// <param name="self">Our own peer id.</param>
    /// <param name="peers">Who gets the blocks.</param>
    /// <param name="logger">Facility adder.</param>
    /// <param name="cancellation">Ends everything: the client has gone.</param>
    public BlockDestinations(PeerClient peer, ByteString self, IReadOnlyList<ByteString> peers, ILogger logger, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(peer);
        this.logger = logger;
        foreach (ByteString id in peers)
        {
            var destination = new Destination(id);
            destination.Sending = id == self
                ? destination.SendToConnectorAsync(peer, cancellation)
                : destination.SendToPeerAsync(peer, cancellation);
            destinations.Add(destination);
        }
    }

    /// <summary>Takes a block on its way; waits while the destinations are busy.</summary>
    public async ValueTask PutAsync(ReadOnlyMemory<byte> cid, ReadOnlyMemory<byte> data, CancellationToken cancellation)
    {
        pending.Add(new Block { Cid = UnsafeByteOperations.UnsafeWrap(cid), Data = UnsafeByteOperations.UnsafeWrap(data) });
        pendingBytes += data.Length;
        if (pendingBytes >= MessageBytes || pending.Count >= MessageBlocks) await SendAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Waits until the destinations have taken all blocks.</summary>
    /// <exception cref="AddException">None did.</exception>
    public async ValueTask FinishAsync(CancellationToken cancellation)
    {
        if (pending.Count > 0) await SendAsync(cancellation).ConfigureAwait(false);
        foreach (Destination destination in destinations) destination.Messages.Writer.TryComplete();
        foreach (Destination destination in destinations) await destination.Sending.WaitAsync(cancellation).ConfigureAwait(false);
        foreach (Destination destination in destinations)
            if (destination.Failure is { } failure) GatewayLog.DestinationFailed(logger, System.Text.Encoding.ASCII.GetString(PeerText.Of(destination.Peer)), failure);
        if (destinations.TrueForAll(destination => destination.Failure is not null)) throw new AddException(AllFailed);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (Destination destination in destinations)
        {
            destination.Messages.Writer.TryComplete();
            await destination.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask SendAsync(CancellationToken cancellation)
    {
        List<Block> message = pending;
        sentBytes += pendingBytes;
        pending = new List<Block>(message.Count);
        pendingBytes = 0;
        foreach (Destination destination in destinations)
        {
            if (destination.Failure is not null) continue;
            try
            {
                await destination.Messages.Writer.WriteAsync(message, cancellation).ConfigureAwait(false);
            }
            catch (ChannelClosedException)
            {
                // It failed meanwhile, and has noted why.
            }
        }

        if (sentBytes > Patience && destinations.TrueForAll(destination => destination.Failure is not null)) throw new AddException(AllFailed);
    }

    private sealed class Destination(ByteString peer) : IAsyncDisposable
    {
        private readonly CancellationTokenSource stopping = new();

        public ByteString Peer => peer;

        public Channel<List<Block>> Messages { get; } = Channel.CreateBounded<List<Block>>(
            new BoundedChannelOptions(MostMessages) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true, SingleWriter = true });

        public Task Sending { get; set; } = Task.CompletedTask;

        public string? Failure { get; private set; }

        public async Task SendToConnectorAsync(PeerClient client, CancellationToken cancellation)
        {
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation, stopping.Token);
            await RunAsync(async () =>
            {
                using AsyncDuplexStreamingCall<PutBlocksRequest, PutBlocksResponse> call =
                    client.Connector.PutBlocks(deadline: Deadline(client), cancellationToken: ending.Token);
                await DuplexAsync(
                    call,
                    blocks =>
                    {
                        var request = new PutBlocksRequest();
                        request.Blocks.Add(blocks);
                        return request;
                    },
                    answer => answer.Written,
                    ending).ConfigureAwait(false);
            }).ConfigureAwait(false);
        }

        public async Task SendToPeerAsync(PeerClient client, CancellationToken cancellation)
        {
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation, stopping.Token);
            await RunAsync(async () =>
            {
                using AsyncDuplexStreamingCall<NetworkPutBlocksRequest, NetworkPutBlocksResponse> call =
                    client.Network.PutBlocks(deadline: Deadline(client), cancellationToken: ending.Token);
                bool first = true;
                await DuplexAsync(
                    call,
                    blocks =>
                    {
                        var request = new NetworkPutBlocksRequest();
                        if (first) request.Peers.Add(peer);
                        first = false;
                        request.Blocks.Add(blocks);
                        return request;
                    },
                    answer =>
                    {
                        uint written = 0;
                        foreach (NetworkPutBlocksResponse.Types.Destination destination in answer.Destinations)
                        {
                            if (destination.Error is { } error) throw new RpcException(new Status((StatusCode)error.Code, error.Message));
                            written += destination.Written;
                        }

                        return written;
                    },
                    ending).ConfigureAwait(false);
            }).ConfigureAwait(false);
        }

        public async ValueTask DisposeAsync()
        {
            if (!Sending.IsCompleted) await stopping.CancelAsync().ConfigureAwait(false);
            await Sending.ConfigureAwait(false);
            stopping.Dispose();
        }

        private static DateTime Deadline(PeerClient client) => client.Time.GetUtcNow().UtcDateTime + PeerClient.ListDeadline;

        /// <summary>Never throws: a failure is noted, and nothing more is taken.</summary>
        private async Task RunAsync(Func<Task> send)
        {
            try
            {
                await send().ConfigureAwait(false);
            }
            catch (RpcException error)
            {
                Failure = error.Status.Detail;
            }
            catch (OperationCanceledException)
            {
                Failure = "cancelled";
            }
            finally
            {
                Messages.Writer.TryComplete();
                while (Messages.Reader.TryRead(out _))
                {
                    // What nobody will take any more must not hold up who still writes.
                }
            }
        }

        private async Task DuplexAsync<TRequest, TResponse>(
            AsyncDuplexStreamingCall<TRequest, TResponse> call, Func<List<Block>, TRequest> request, Func<TResponse, uint> written, CancellationTokenSource ending)
        {
            long sent = 0, taken = 0;
            Task reading = ReadAsync();
            try
            {
                await foreach (List<Block> blocks in Messages.Reader.ReadAllAsync(ending.Token).ConfigureAwait(false))
                {
                    sent += blocks.Count;
                    Task writing = call.RequestStream.WriteAsync(request(blocks), ending.Token);
                    // An answer that is an error ends the stream while we write.
                    if (await Task.WhenAny(writing, reading).ConfigureAwait(false) == reading) await reading.ConfigureAwait(false);
                    await writing.ConfigureAwait(false);
                }

                await call.RequestStream.CompleteAsync().ConfigureAwait(false);
                await reading.ConfigureAwait(false);
            }
            catch (RpcException) when (!reading.IsCompletedSuccessfully)
            {
                // The reading side knows the cause better.
                await ending.CancelAsync().ConfigureAwait(false);
                await reading.ConfigureAwait(false);
                throw;
            }

            if (taken < sent) throw new RpcException(new Status(StatusCode.DataLoss, $"{sent} blocks sent, {taken} taken"));

            async Task ReadAsync()
            {
                while (await call.ResponseStream.MoveNext(ending.Token).ConfigureAwait(false)) taken += written(call.ResponseStream.Current);
            }
        }
    }
}
