using Cluster.Contracts.V1;
using Cluster.Gateway.Http;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Monitor = Cluster.Contracts.V1.Monitor;

namespace Cluster.Gateway.Rest;

/// <summary>Sends single calls of the hot kind to consensus, many at a time in one batch.</summary>
public interface IClusterCalls
{
    /// <summary>Sends one call and waits for its result.</summary>
    /// <param name="call">Its id is chosen here.</param>
    /// <param name="cancellation">Ends the wait; the call may happen all the same.</param>
    /// <exception cref="RpcException">The connection was lost, or consensus answered with an error.</exception>
    ValueTask<CallResult> CallAsync(Call call, CancellationToken cancellation);
}

/// <summary>The other services of this peer as the faces use them: every call has a deadline, and a call that repeats harmlessly is
/// repeated while a service restarts (design, sections 1 and 2).</summary>
public sealed class PeerClient
{
    /// <summary>Time for a single call, retries included. Status calls wait up to 15 s for other peers (<c>spec/rest-api.md</c> 8.7).</summary>
    public static readonly TimeSpan CallDeadline = TimeSpan.FromSeconds(60);

    /// <summary>Time for a list: it ends when the client has read it.</summary>
    public static readonly TimeSpan ListDeadline = TimeSpan.FromHours(6);

    /// <summary>Time for a garbage collection, which goes through whole repositories.</summary>
    public static readonly TimeSpan CollectionDeadline = TimeSpan.FromHours(24);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);

    private readonly IClusterCalls calls;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private ByteString? ownId;

    /// <summary>Puts the clients together.</summary>
    public PeerClient(
        Contracts.V1.Cluster.ClusterClient cluster,
        IClusterCalls calls,
        Monitor.MonitorClient monitor,
        Connector.ConnectorClient connector,
        PeerNetwork.PeerNetworkClient network,
        TimeProvider time,
        ILogger logger)
    {
        Cluster = cluster;
        Monitor = monitor;
        Connector = connector;
        Network = network;
        this.calls = calls;
        this.time = time;
        this.logger = logger;
    }

    /// <summary>Consensus: the cluster's logic.</summary>
    public Contracts.V1.Cluster.ClusterClient Cluster { get; }

    /// <summary>Metrics.</summary>
    public Monitor.MonitorClient Monitor { get; }

    /// <summary>This peer's daemon.</summary>
    public Connector.ConnectorClient Connector { get; }

    /// <summary>Other peers.</summary>
    public PeerNetwork.PeerNetworkClient Network { get; }

    /// <summary>The clock.</summary>
    public TimeProvider Time => time;

    /// <summary>Our own peer id. It belongs to the configuration folder, so it is asked for once.</summary>
    public async ValueTask<ByteString> OwnIdAsync(CancellationToken cancellation)
    {
        ownId ??= (await UnaryAsync("Id", o => Cluster.IdAsync(new IdRequest(), o), CallDeadline, cancellation).ConfigureAwait(false)).Id;
        return ownId;
    }

    /// <summary>A hot call, in a batch with others.</summary>
    public async ValueTask<CallResult> CallAsync(Call call, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(call);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(CallDeadline);
        long began = time.GetTimestamp();
        TimeSpan pause = FirstPause;
        while (true)
        {
            try
            {
                CallResult result = await calls.CallAsync(call, limit.Token).ConfigureAwait(false);
                if (result.ResultCase == CallResult.ResultOneofCase.Error)
                    throw new RpcException(new Status((StatusCode)result.Error.Code, result.Error.Message));
                return result;
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                throw TooLate(call.CallCase.ToString());
            }
            catch (RpcException error) when (IsLost(error) && time.GetElapsedTime(began) < CallDeadline)
            {
                pause = await PauseAsync(call.CallCase.ToString(), error, pause, cancellation).ConfigureAwait(false);
            }
        }
    }

    /// <summary>A single call that may be repeated.</summary>
    public async Task<T> UnaryAsync<T>(string name, Func<CallOptions, AsyncUnaryCall<T>> send, TimeSpan deadline, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(send);
        DateTime end = time.GetUtcNow().UtcDateTime + deadline;
        long began = time.GetTimestamp();
        TimeSpan pause = FirstPause;
        while (true)
        {
            try
            {
                using AsyncUnaryCall<T> call = send(new CallOptions(deadline: end, cancellationToken: cancellation));
                return await call.ResponseAsync.ConfigureAwait(false);
            }
            catch (RpcException error) when (IsLost(error) && time.GetElapsedTime(began) < CallDeadline)
            {
                pause = await PauseAsync(name, error, pause, cancellation).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Opens a stream and waits for its first message; until that has come, a lost connection is tried again.</summary>
    /// <returns>The stream, standing on its first message, and whether there is one.</returns>
    public async Task<(AsyncServerStreamingCall<T> Call, bool HasMessage)> OpenAsync<T>(
        string name, Func<CallOptions, AsyncServerStreamingCall<T>> open, TimeSpan deadline, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(open);
        DateTime end = time.GetUtcNow().UtcDateTime + deadline;
        long began = time.GetTimestamp();
        TimeSpan pause = FirstPause;
        while (true)
        {
            AsyncServerStreamingCall<T> call = open(new CallOptions(deadline: end, cancellationToken: cancellation));
            try
            {
                return (call, await call.ResponseStream.MoveNext(cancellation).ConfigureAwait(false));
            }
            catch (RpcException error) when (IsLost(error) && time.GetElapsedTime(began) < CallDeadline)
            {
                call.Dispose();
                pause = await PauseAsync(name, error, pause, cancellation).ConfigureAwait(false);
            }
            catch
            {
                call.Dispose();
                throw;
            }
        }
    }

    /// <summary>Whether the service could not be reached or went away, as against an error that it answered itself: the client notes the
    /// cause of the former, and a service's own words never carry one.</summary>
    public static bool IsLost(RpcException error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return error.Status.DebugException is HttpRequestException or IOException or System.Net.Sockets.SocketException ||
               error.StatusCode == StatusCode.Unavailable && error.Status.DebugException is not null;
    }

    private static RpcException TooLate(string name) => new(new Status(StatusCode.DeadlineExceeded, $"{name}: no answer in {CallDeadline.TotalSeconds} s"));

    private async Task<TimeSpan> PauseAsync(string name, RpcException error, TimeSpan pause, CancellationToken cancellation)
    {
        GatewayLog.Retry(logger, name, error.Status.Detail);
        await Task.Delay(pause, time, cancellation).ConfigureAwait(false);
        return pause * 2 < LongestPause ? pause * 2 : LongestPause;
    }
}
