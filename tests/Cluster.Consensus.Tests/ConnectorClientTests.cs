using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Cluster.Consensus.Clients;
using Grpc.Core;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Tests;

/// <summary>Blocks to this peer's own daemon.</summary>
public sealed class ConnectorClientTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Theory, InlineData(StatusCode.Unavailable), InlineData(StatusCode.Cancelled)]
    public async Task A_connector_that_ends_is_told_of_also_when_no_further_block_comes(StatusCode status)
    {
        var connector = new EndingConnector();
        var blocks = Channel.CreateUnbounded<IReadOnlyList<V1.Block>>();
        var putting = new ConnectorClient(connector).PutBlocksAsync(blocks.Reader.ReadAllAsync(), _ => { }, CancellationToken.None);
        Assert.True(blocks.Writer.TryWrite([new V1.Block()]));
        await connector.Written.Task.WaitAsync(Limit);

        connector.End.SetException(new RpcException(new Grpc.Core.Status(status, "the connector is away")));

        var error = await Assert.ThrowsAsync<ClusterException>(() => putting.WaitAsync(Limit));
        Assert.Equal((ClusterErrorKind.Unavailable, "the connector is away"), (error.Kind, error.Message));
    }

    [Fact]
    public async Task A_connector_that_ends_is_told_of_also_when_the_blocks_end_first_because_of_it()
    {
        var connector = new EndingConnector();
        // Without a context in which the continuation would wait for its turn.
        var putting = Task.Run(() => new ConnectorClient(connector).PutBlocksAsync(EndAtOnceAsync(), _ => { }, CancellationToken.None));
        await connector.Written.Task.WaitAsync(Limit);

        connector.End.SetException(new RpcException(new Grpc.Core.Status(StatusCode.Cancelled, "the connector is away")));

        var error = await Assert.ThrowsAsync<ClusterException>(() => putting.WaitAsync(Limit));
        Assert.Equal((ClusterErrorKind.Unavailable, "the connector is away"), (error.Kind, error.Message));
    }

    /// <summary>A block, and then an end within the cancellation itself.</summary>
    private static async IAsyncEnumerable<IReadOnlyList<V1.Block>> EndAtOnceAsync([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        yield return [new V1.Block()];
        var never = new TaskCompletionSource();
        using var ending = cancellation.Register(() => never.TrySetCanceled(cancellation));
        await never.Task;
    }

    [Fact]
    public async Task A_connector_that_stops_while_it_is_asked_for_the_daemon_has_none()
    {
        var connector = new EndingConnector();
        connector.End.SetException(new RpcException(new Grpc.Core.Status(StatusCode.Cancelled, "the connector stops")));
        Assert.Equal("the connector stops", (await new ConnectorClient(connector).IdAsync(CancellationToken.None)).Error);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new ConnectorClient(connector).IdAsync(new CancellationToken(true)).AsTask());
    }

    /// <summary>Takes blocks, says nothing, and ends when it is told to.</summary>
    private sealed class EndingConnector : CallInvoker
    {
        public TaskCompletionSource Written { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<bool> End { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options) => new(
            new Requests<TRequest>(Written), new Responses<TResponse>(End.Task), Task.FromResult(new Metadata()),
            static () => Grpc.Core.Status.DefaultSuccess, static () => [], static () => { });

        public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options) => throw new NotSupportedException();

        public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => throw new NotSupportedException();

        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => new(
            AnswerAsync<TResponse>(), Task.FromResult(new Metadata()), static () => Grpc.Core.Status.DefaultSuccess, static () => [], static () => { });

        public override TResponse BlockingUnaryCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) => throw new NotSupportedException();

        private async Task<T> AnswerAsync<T>()
        {
            await End.Task;
            throw new InvalidOperationException("only the end is answered");
        }
    }

    private sealed class Requests<T>(TaskCompletionSource written) : IClientStreamWriter<T>
    {
        public WriteOptions? WriteOptions { get; set; }

        public Task CompleteAsync() => Task.CompletedTask;

        public Task WriteAsync(T message)
        {
            written.TrySetResult();
            return Task.CompletedTask;
        }

        public Task WriteAsync(T message, CancellationToken cancellationToken) => WriteAsync(message);
    }

    private sealed class Responses<T>(Task<bool> end) : IAsyncStreamReader<T>
    {
        public T Current => throw new InvalidOperationException();

        public Task<bool> MoveNext(CancellationToken cancellationToken) => end.WaitAsync(cancellationToken);
    }
}
