using Cluster.Consensus.Services;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Tests;

/// <summary>A stream of batched calls against callers that send too much, read too little, or go.</summary>
public sealed class CallStreamTests : IAsyncLifetime
{
    private const int BatchCalls = 512;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly Peer _peer = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _peer.DisposeAsync().AsTask();

    [Fact]
    public async Task A_batch_of_more_calls_than_may_be_under_way_is_answered()
    {
        using var stream = new CallStream(_peer.Parts, NullLogger.Instance);
        var answers = new Answers();
        var requests = new Requests(2, CallStream.MaxCallsUnderWay + 1);
        await stream.RunAsync(requests, answers, CancellationToken.None, CancellationToken.None).WaitAsync(Limit);
        Assert.Equal(2 * (CallStream.MaxCallsUnderWay + 1), answers.Count);
    }

    [Fact]
    public async Task Of_a_caller_who_does_not_read_his_answers_no_more_is_read()
    {
        using var stream = new CallStream(_peer.Parts, NullLogger.Instance);
        var answers = new Answers { Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously) };
        var requests = new Requests(100, BatchCalls);

        // All that is read is there and answered at once, so that the stream runs within this call until it has to wait.
        var running = stream.RunAsync(requests, answers, CancellationToken.None, CancellationToken.None);
        Assert.InRange(requests.Read, 1, (CallStream.MaxCallsUnderWay / BatchCalls) + 1);

        answers.Gate.SetResult();
        await running.WaitAsync(Limit);
        Assert.Equal(100 * BatchCalls, answers.Count);
    }

    [Fact]
    public async Task When_no_answer_can_be_sent_the_stream_ends()
    {
        using var stream = new CallStream(_peer.Parts, NullLogger.Instance);
        var requests = new Requests(1, BatchCalls, endless: true);
        var error = await Assert.ThrowsAsync<IOException>(() =>
            stream.RunAsync(requests, new Answers { Failure = new IOException("gone") }, CancellationToken.None, CancellationToken.None).WaitAsync(Limit));
        Assert.Equal("gone", error.Message);
    }

    /// <summary>Batches of calls that ask nothing, all there from the beginning; then the end, or nothing more.</summary>
    private sealed class Requests(int batches, int calls, bool endless = false) : IAsyncStreamReader<V1.CallBatch>
    {
        public int Read { get; private set; }

        public V1.CallBatch Current { get; private set; } = new();

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            if (Read == batches)
            {
                if (endless)
                    await Task.Delay(Timeout.Infinite, cancellationToken);
                return false;
            }

            Read++;
            Current = new V1.CallBatch();
            for (var i = 0; i < calls; i++)
                Current.Calls.Add(new V1.Call { Id = (ulong)i });
            return true;
        }
    }

    /// <summary>Counts answers; takes none before the gate is open.</summary>
    private sealed class Answers : IServerStreamWriter<V1.CallResultBatch>
    {
        public TaskCompletionSource? Gate { get; init; }

        public Exception? Failure { get; init; }

        public int Count { get; private set; }

        public WriteOptions? WriteOptions { get; set; }

        public Task WriteAsync(V1.CallResultBatch message) => WriteAsync(message, CancellationToken.None);

        public async Task WriteAsync(V1.CallResultBatch message, CancellationToken cancellationToken)
        {
            if (Failure is not null)
                throw Failure;
            if (Gate is not null)
                await Gate.Task.WaitAsync(cancellationToken);
            Count += message.Results.Count;
        }
    }
}
