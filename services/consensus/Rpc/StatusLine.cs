using Cluster.Consensus.Clients;
using Cluster.Hosting.Batching;
using Google.Protobuf;
using Grpc.Core;
using Ipld;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Rpc;

/// <summary>
/// Questions to one peer for the statuses of single CIDs, over one stream that lasts as long as the connection. What waits while a
/// message is being sent goes out together in the next one; a lone question leaves at once; each is answered by itself, so that a slow
/// answer holds up no other (design section 2). The messages are those of <c>Tracker.Calls</c>, each with its length before it.
/// </summary>
internal sealed class StatusLine(PeerId peer, PeerCalls calls, TimeProvider clock)
{
    /// <summary>Name of the protocol, spoken by peers of this program.</summary>
    internal const string Protocol = "/cluster-micro/statuses/1.0.0";

    /// <summary>Bytes of a message at most: hundreds of statuses with long names and lists.</summary>
    internal const int LongestMessage = 16 << 20;

    /// <summary>Questions under way; further ones wait, as long as their deadline lets them.</summary>
    private const int MaxUnderWay = 1024;

    private readonly Lock _lock = new();
    private Task<Line>? _opening;

    /// <summary>Status of one CID.</summary>
    /// <exception cref="ClusterException">The peer cannot be reached, does not answer in time, or answers with an error; unimplemented
    /// when it does not speak the protocol.</exception>
    internal async ValueTask<V1.PinInfo> AskAsync(Cid cid, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(calls.Limits.Call, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            for (var again = false; ; again = true)
            {
                var line = await LineAsync().WaitAsync(either.Token);
                try
                {
                    var question = new V1.TrackerCall { Status = new V1.TrackerStatusRequest { Cid = UnsafeByteOperations.UnsafeWrap(cid.Memory) } };
                    return (await line.Calls.CallAsync(question, either.Token)).Info;
                }
                catch (RpcException e) when (e.StatusCode == StatusCode.Unavailable && e.Status.DebugException is IOException)
                {
                    // The line broke with the question on it. The peer may have come back meanwhile: once more, on a new line.
                    Drop(line);
                    if (again)
                        throw new IOException(e.Status.Detail, e);
                }
            }
        }
        catch (RpcException e)
        {
            throw e.StatusCode == StatusCode.PermissionDenied
                ? new ClusterException(ClusterErrorKind.NotTrusted, e.Status.Detail, e)
                : RpcFailures.ToCluster(e, "tracker");
        }
        catch (ProtocolNotSupportedException e)
        {
            throw new ClusterException(ClusterErrorKind.Unimplemented, e.Message, e);
        }
        catch (Exception e)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw Failures.Of(e);
        }
    }

    /// <summary>The line, or the one that is being opened; a new one when there is none that works.</summary>
    private Task<Line> LineAsync()
    {
        lock (_lock)
        {
            if (_opening is null || _opening.IsFaulted || _opening.IsCanceled || _opening is { IsCompleted: true, Result.IsBroken: true })
                _opening = Task.Run(OpenAsync);
            return _opening;
        }
    }

    private void Drop(Line line)
    {
        lock (_lock)
        {
            if (_opening is { IsCompletedSuccessfully: true } opened && opened.Result == line)
                _opening = null;
        }
    }

    private async Task<Line> OpenAsync()
    {
        using var late = new CancellationTokenSource(calls.Limits.Silence, clock);
        return new Line(await calls.Host.NewStreamAsync(peer, Protocol, late.Token), calls.Limits.Silence, clock);
    }

    /// <summary>An open stream and the calls on it. It is used until it breaks, and then never again.</summary>
    private sealed class Line
    {
        private readonly PeerStream _stream;

        internal Line(PeerStream stream, TimeSpan stall, TimeProvider clock)
        {
            _stream = stream;
            Calls = new(
                _ => new AsyncDuplexStreamingCall<V1.TrackerCallBatch, V1.TrackerCallResultBatch>(
                    new MessageWriter<V1.TrackerCallBatch>(stream, stall, clock),
                    new MessageReader<V1.TrackerCallResultBatch>(stream, V1.TrackerCallResultBatch.Parser, LongestMessage),
                    Task.FromResult(Metadata.Empty), static () => Grpc.Core.Status.DefaultSuccess, static () => Metadata.Empty, () => stream.Reset()),
                BatchShapes.Tracker,
                MaxUnderWay);
        }

        internal BatchingCaller<V1.TrackerCall, V1.TrackerCallBatch, V1.TrackerCallResult, V1.TrackerCallResultBatch> Calls { get; }

        internal bool IsBroken => _stream.Aborted.IsCancellationRequested;
    }
}
