using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Cluster.PeerRpc;
using Cluster.PeerRpc.Msgpack;
using Cluster.PeerRpc.Streams;
using Libp2p;

namespace Cluster.Consensus.Rpc;

/// <summary>Limits of the calls that this peer makes on others.</summary>
public sealed record PeerCallLimits
{
    /// <summary>Longest time of a single call, its wait for a place and the dial included (spec/behaviour.md 14).</summary>
    public TimeSpan Call { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Longest silence within a list, the dial included; the whole has no limit.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>A daemon that takes no bytes of a block stream for so long has failed; it may be busy with its disk.</summary>
    public TimeSpan BlockStall { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Single calls under way to one peer. Further ones wait their turn, as long as their deadline lets them.</summary>
    public int CallsPerPeer { get; init; } = 64;

    /// <summary>Lists and block streams under way to one peer. Further ones wait their turn.</summary>
    public int StreamsPerPeer { get; init; } = 64;
}

/// <summary>Calls methods of other peers: one stream a call, deadlines on everything, bounded in number, failures in the original's words.</summary>
internal sealed class PeerCalls(Libp2pHost host, TimeProvider clock, PeerCallLimits limits)
{
    /// <summary>The protocol of all calls (spec/peer-rpc.md 1).</summary>
    internal const string Protocol = "/ipfscluster/1.0/rpc";

    private static readonly string[] Protocols = [Protocol];

    private readonly ConcurrentDictionary<PeerId, Gate> _gates = new();

    internal Libp2pHost Host => host;

    internal PeerCallLimits Limits => limits;

    /// <summary>One argument, one reply.</summary>
    /// <param name="peer">Who is asked.</param>
    /// <param name="id">The method.</param>
    /// <param name="argument">Writes the argument.</param>
    /// <param name="decode">Reads the reply.</param>
    /// <param name="deadline">Longest time; null for the usual one.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="ClusterException">The peer cannot be reached, does not answer in time, or answers with an error.</exception>
    internal async ValueTask<TReply> CallAsync<TReply>(
        PeerId peer, ServiceId id, Action<MsgpackWriter> argument, Decode<TReply> decode, TimeSpan? deadline, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(deadline ?? limits.Call, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        var gate = GateOf(peer).Calls;
        var entered = false;
        try
        {
            await gate.WaitAsync(either.Token);
            entered = true;
            await using var stream = await host.NewStreamAsync(peer, Protocols, either.Token);
            return await RpcClient.CallAsync(stream, id, argument, decode, either.Token);
        }
        catch (Exception e)
        {
            // Whoever gave up gets that told, whatever broke by it.
            cancellationToken.ThrowIfCancellationRequested();
            throw Failures.Of(e);
        }
        finally
        {
            if (entered)
                gate.Release();
        }
    }

    /// <summary>A list of replies, in batches.</summary>
    /// <param name="peer">Who is asked.</param>
    /// <param name="id">The method.</param>
    /// <param name="argument">Writes the argument; null for none.</param>
    /// <param name="collector">Takes the replies.</param>
    /// <param name="silence">Longest time in which nothing comes; null for the usual one.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="ClusterException">The peer cannot be reached, falls silent, or ends with an error.</exception>
    internal async IAsyncEnumerable<TBatch> ListAsync<TBatch>(
        PeerId peer, ServiceId id, Action<MsgpackWriter>? argument, IReplyCollector<TBatch> collector, TimeSpan? silence,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var gate = GateOf(peer).Streams;
        var stream = await OpenAsync(peer, gate, silence ?? limits.Silence, cancellationToken);
        var ended = false;
        try
        {
            await using var batches = ReplyList.CallAsync(stream, id, argument, collector, silence ?? limits.Silence, clock, cancellationToken)
                .GetAsyncEnumerator(cancellationToken);
            while (await NextAsync(batches, cancellationToken))
                yield return batches.Current;
            ended = true;
        }
        finally
        {
            if (!ended)
                stream.Reset();
            try
            {
                await stream.DisposeAsync();
            }
            finally
            {
                gate.Release();
            }
        }
    }

    /// <summary>A stream to a peer whose calls the caller makes itself; disposing it gives the place back.</summary>
    /// <exception cref="ClusterException">The peer cannot be reached.</exception>
    internal async ValueTask<PlacedStream> OpenAsync(PeerId peer, CancellationToken cancellationToken)
    {
        var gate = GateOf(peer).Streams;
        return new PlacedStream(await OpenAsync(peer, gate, limits.Silence, cancellationToken), gate);
    }

    private async ValueTask<PeerStream> OpenAsync(PeerId peer, SemaphoreSlim gate, TimeSpan deadline, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(deadline, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        var entered = false;
        try
        {
            await gate.WaitAsync(either.Token);
            entered = true;
            return await host.NewStreamAsync(peer, Protocols, either.Token);
        }
        catch (Exception e)
        {
            if (entered)
                gate.Release();
            cancellationToken.ThrowIfCancellationRequested();
            throw Failures.Of(e);
        }
    }

    private static async ValueTask<bool> NextAsync<TBatch>(IAsyncEnumerator<TBatch> batches, CancellationToken cancellationToken)
    {
        try
        {
            return await batches.MoveNextAsync();
        }
        catch (Exception e)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw Failures.Of(e);
        }
    }

    private Gate GateOf(PeerId peer) => _gates.GetOrAdd(peer, static (_, l) => new Gate(new(l.CallsPerPeer), new(l.StreamsPerPeer)), limits);

    private sealed record Gate(SemaphoreSlim Calls, SemaphoreSlim Streams);

    /// <summary>A stream and its place among those to its peer.</summary>
    internal sealed class PlacedStream(PeerStream stream, SemaphoreSlim gate) : IAsyncDisposable
    {
        public PeerStream Stream => stream;

        public async ValueTask DisposeAsync()
        {
            try
            {
                await stream.DisposeAsync();
            }
            finally
            {
                gate.Release();
            }
        }
    }
}
