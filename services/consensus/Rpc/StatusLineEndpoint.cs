using Cluster.Hosting.Batching;
using Grpc.Core;
using Ipld;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Rpc;

/// <summary>Answers <see cref="StatusLine"/>: this peer's statuses as of the state it has now, to those whom it trusts.</summary>
internal sealed class StatusLineEndpoint : IDisposable
{
    /// <summary>Streams of one peer: it needs one, and may open the next before the last has ended here.</summary>
    private const int LinesPerPeer = 4;

    /// <summary>Questions of one stream under way; further ones are not read.</summary>
    private const int MaxUnderWay = 1024;

    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(60);

    private readonly Libp2pHost _host;
    private readonly RpcParts _parts;
    private readonly TimeSpan _stall;

    internal StatusLineEndpoint(Libp2pHost host, RpcParts parts, TimeSpan stall)
    {
        _host = host;
        _parts = parts;
        _stall = stall;
        host.Handle(StatusLine.Protocol, ServeAsync, LinesPerPeer);
    }

    /// <inheritdoc/>
    public void Dispose() => _host.RemoveHandler(StatusLine.Protocol);

    private async Task ServeAsync(PeerStream stream, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stream.Aborted, cancellationToken);
        await BatchedCalls.ServeAsync(
            BatchShapes.Tracker,
            new MessageReader<V1.TrackerCallBatch>(stream, V1.TrackerCallBatch.Parser, StatusLine.LongestMessage),
            new MessageWriter<V1.TrackerCallResultBatch>(stream, _stall, _host.Options.Time),
            (call, _, token) => AnswerAsync(stream.RemotePeer, call, token),
            MaxUnderWay,
            ending.Token);
    }

    private async ValueTask<V1.TrackerCallResult> AnswerAsync(PeerId caller, V1.TrackerCall call, CancellationToken cancellationToken)
    {
        if (!_parts.Consensus.IsTrusted(caller))
            return Failure(StatusCode.PermissionDenied, "client does not have permissions to call PinTracker.Status");
        if (call.CallCase != V1.TrackerCall.CallOneofCase.Status)
            return Failure(StatusCode.Unimplemented, "only statuses are told here");
        if (!Cid.TryFromBytes(call.Status.Cid.Span, out var cid, out var error))
            return Failure(StatusCode.InvalidArgument, "bad cid: " + error);
        using var late = new CancellationTokenSource(AnswerWithin, _host.Options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            var info = await _parts.Tracker.StatusAsync(cid, _parts.Consensus.State.Totals.Sequence, either.Token);
            _parts.Reports.Identify(_parts.Self.Id, info);
            return new V1.TrackerCallResult { Info = info };
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Failure(StatusCode.DeadlineExceeded, "context deadline exceeded");
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return Failure(StatusCode.Internal, e.Message);
        }
    }

    private static V1.TrackerCallResult Failure(StatusCode code, string message) => new() { Error = new V1.ItemError { Code = (int)code, Message = message } };
}
