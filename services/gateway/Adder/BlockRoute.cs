using System.Collections.Concurrent;
using System.Threading.Channels;
using Cluster.Contracts.V1;
using Cluster.Gateway.Rest;
using Google.Protobuf;
using Grpc.Core;

namespace Cluster.Gateway.Adder;

/// <summary>A stream of blocks to one service, which hands them to one daemon or to several. What waits for it is bounded; a full queue
/// holds the add back.</summary>
internal abstract class BlockRoute(PeerClient client, IReadOnlyList<ByteString> peers) : IAsyncDisposable
{
    // Messages on their way; with them wait at most a few MiB in memory.
    private const int MostMessages = 4;

    private readonly Channel<List<Block>> messages = Channel.CreateBounded<List<Block>>(
        new BoundedChannelOptions(MostMessages) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true, SingleWriter = true });

    private readonly CancellationTokenSource stopping = new();
    private readonly ConcurrentDictionary<ByteString, string> failures = new();
    private readonly ConcurrentDictionary<ByteString, long> taken = new();
    private Task sending = Task.CompletedTask;
    private long sent;

    /// <summary>Peers that failed for good, and why.</summary>
    public IEnumerable<(ByteString Peer, string Reason)> Failures => failures.Select(failure => (failure.Key, failure.Value));

    /// <summary>Whether a peer is left that has not failed.</summary>
    public bool IsAnyLeft => failures.Count < peers.Count;

    protected PeerClient Client => client;

    protected IReadOnlyList<ByteString> Peers => peers;

    protected DateTime Deadline => client.Time.GetUtcNow().UtcDateTime + PeerClient.ListDeadline;

    /// <summary>Opens the stream.</summary>
    public void Start(CancellationToken cancellation) => sending = RunAsync(cancellation);

    /// <summary>Takes a message; waits while the queue is full.</summary>
    public async ValueTask SendAsync(List<Block> message, CancellationToken cancellation)
    {
        if (!IsAnyLeft) return;
        try
        {
            await messages.Writer.WriteAsync(message, cancellation).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            // It failed meanwhile, and has noted why.
        }
    }

    /// <summary>Waits until all blocks are taken, or none will be any more.</summary>
    public async ValueTask FinishAsync(CancellationToken cancellation)
    {
        messages.Writer.TryComplete();
        await sending.WaitAsync(cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        messages.Writer.TryComplete();
        if (!sending.IsCompleted) await stopping.CancelAsync().ConfigureAwait(false);
        await sending.ConfigureAwait(false);
        stopping.Dispose();
    }

    /// <summary>Sends all messages over a call of its own.</summary>
    protected abstract Task SendAllAsync(CancellationTokenSource ending);

    /// <summary>Notes what a peer has taken.</summary>
    protected void Took(ByteString peer, uint count) => taken.AddOrUpdate(peer, count, (_, before) => before + count);

    /// <summary>Notes that a peer has failed for good; the first reason counts.</summary>
    protected void Failed(ByteString peer, string reason) => failures.TryAdd(peer, reason);

    protected async Task DuplexAsync<TRequest, TResponse>(
        AsyncDuplexStreamingCall<TRequest, TResponse> call, Func<List<Block>, TRequest> request, Action<TResponse> note, CancellationTokenSource ending)
    {
        Task reading = ReadAsync();
        try
        {
            await foreach (List<Block> blocks in messages.Reader.ReadAllAsync(ending.Token).ConfigureAwait(false))
            {
                sent += blocks.Count;
                Task writing = call.RequestStream.WriteAsync(request(blocks), ending.Token);
                // An answer that ends the stream while we write: there is an error, or nobody left to write to.
                if (await Task.WhenAny(writing, reading).ConfigureAwait(false) == reading)
                {
                    await reading.ConfigureAwait(false);
                    if (!IsAnyLeft) return;
                }

                await writing.ConfigureAwait(false);
            }

            await call.RequestStream.CompleteAsync().ConfigureAwait(false);
            await reading.ConfigureAwait(false);
        }
        catch (Exception error) when (error is RpcException or InvalidOperationException && !reading.IsFaulted)
        {
            // The reading side knows the cause better.
            if (!reading.IsCompleted) await ending.CancelAsync().ConfigureAwait(false);
            await reading.ConfigureAwait(false);
            if (IsAnyLeft) throw;
        }

        async Task ReadAsync()
        {
            while (await call.ResponseStream.MoveNext(ending.Token).ConfigureAwait(false)) note(call.ResponseStream.Current);
        }
    }

    /// <summary>Never throws: failures are noted, and nothing more is taken.</summary>
    private async Task RunAsync(CancellationToken cancellation)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation, stopping.Token);
        try
        {
            await SendAllAsync(ending).ConfigureAwait(false);
            foreach (ByteString peer in peers)
            {
                long count = taken.GetValueOrDefault(peer);
                if (count < sent) Failed(peer, $"{sent} blocks sent, {count} taken");
            }
        }
        catch (Exception error) when (error is RpcException or OperationCanceledException or InvalidOperationException)
        {
            string reason = error switch
            {
                RpcException failure => failure.Status.Detail,
                OperationCanceledException => "cancelled",
                _ => error.Message,
            };
            foreach (ByteString peer in peers) Failed(peer, reason);
        }
        finally
        {
            messages.Writer.TryComplete();
            while (messages.Reader.TryRead(out _))
            {
                // What nobody will take any more must not hold up who still writes.
            }
        }
    }
}

/// <summary>Blocks to our own daemon, through the connector.</summary>
internal sealed class ConnectorRoute(PeerClient client, ByteString self) : BlockRoute(client, [self])
{
    protected override async Task SendAllAsync(CancellationTokenSource ending)
    {
        using AsyncDuplexStreamingCall<PutBlocksRequest, PutBlocksResponse> call = Client.Connector.PutBlocks(deadline: Deadline, cancellationToken: ending.Token);
        await DuplexAsync(
            call,
            static blocks =>
            {
                var request = new PutBlocksRequest();
                request.Blocks.Add(blocks);
                return request;
            },
            answer => Took(Peers[0], answer.Written),
            ending).ConfigureAwait(false);
    }
}

/// <summary>Blocks to the daemons of other peers, through consensus, which passes each on to all of them.</summary>
internal sealed class NetworkRoute(PeerClient client, IReadOnlyList<ByteString> peers) : BlockRoute(client, peers)
{
    protected override async Task SendAllAsync(CancellationTokenSource ending)
    {
        using AsyncDuplexStreamingCall<NetworkPutBlocksRequest, NetworkPutBlocksResponse> call =
            Client.Network.PutBlocks(deadline: Deadline, cancellationToken: ending.Token);
        bool first = true;
        await DuplexAsync(
            call,
            blocks =>
            {
                var request = new NetworkPutBlocksRequest();
                if (first) request.Peers.Add(Peers);
                first = false;
                request.Blocks.Add(blocks);
                return request;
            },
            answer =>
            {
                foreach (NetworkPutBlocksResponse.Types.Destination destination in answer.Destinations)
                {
                    Took(destination.Peer, destination.Written);
                    if (destination.Error is { } error) Failed(destination.Peer, error.Message);
                }
            },
            ending).ConfigureAwait(false);
    }
}
