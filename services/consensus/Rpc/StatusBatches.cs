using Cluster.Consensus.Services;
using Cluster.PeerRpc.Msgpack;
using Cluster.PeerRpc.Streams;
using Ipld;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Rpc;

/// <summary>
/// Questions to one peer for the statuses of single CIDs. Those that wait while others are under way go out together in one call; a lone
/// one leaves at once (design section 2).
/// </summary>
internal sealed class StatusBatches(PeerId peer, PeerCalls calls, TimeProvider clock)
{
    /// <summary>CIDs in one call; a peer answers no more.</summary>
    internal const int MaxItems = 256;

    private const int MaxUnderWay = 2;

    private readonly Lock _lock = new();
    private readonly Queue<Question> _waiting = new();
    private int _underWay;

    /// <summary>Status of one CID.</summary>
    /// <exception cref="ClusterException">The peer does not answer, or not this; unimplemented when it knows no such call.</exception>
    internal async Task<V1.PinInfo> AskAsync(Cid cid, CancellationToken cancellationToken)
    {
        var question = new Question(cid);
        bool start;
        lock (_lock)
        {
            _waiting.Enqueue(question);
            start = _underWay < MaxUnderWay;
            if (start)
                _underWay++;
        }

        // Every failure of the sending is the answer to its questions.
        if (start)
            _ = SendAllAsync();
        try
        {
            return await question.Answer.Task.WaitAsync(calls.Limits.Call, clock, cancellationToken);
        }
        catch (TimeoutException e)
        {
            throw Failures.Of(e);
        }
        finally
        {
            if (!question.Answer.Task.IsCompleted)
                GiveUp(question);
        }
    }

    /// <summary>Nobody waits for the answer any more. A call of which that holds for all questions is ended.</summary>
    private void GiveUp(Question question)
    {
        CancellationTokenSource? ending = null;
        lock (_lock)
        {
            question.IsGivenUp = true;
            if (question.Batch is { } batch && batch.Questions.TrueForAll(static q => q.IsGivenUp || q.Answer.Task.IsCompleted))
                ending = batch.Ending;
        }

        ending?.Cancel();
    }

    private async Task SendAllAsync()
    {
        while (Take() is { } batch)
        {
            var answered = 0;
            var questions = batch.Questions;
            try
            {
                await foreach (var infos in calls.ListAsync(
                    peer, TrackerMethods.StatusMany, writer => writer.List(questions, static (to, question) => to.Cid(question.Cid)),
                    new Collector(), calls.Limits.Call, batch.Ending.Token))
                {
                    foreach (var info in infos)
                    {
                        if (answered < questions.Count && info.Cid.Span.SequenceEqual(questions[answered].Cid.Bytes))
                            questions[answered++].Answer.TrySetResult(info);
                    }
                }

                Fail(questions, answered, new ClusterException(ClusterErrorKind.Internal, $"{peer} did not answer all that it was asked"));
            }
            catch (Exception e)
            {
                Fail(questions, answered, Failures.Of(e));
            }
        }
    }

    private static void Fail(List<Question> questions, int from, ClusterException failure)
    {
        for (var i = from; i < questions.Count; i++)
            questions[i].Answer.TrySetException(failure);
    }

    /// <summary>What waits, or null when nothing does: then the sender ends.</summary>
    private Batch? Take()
    {
        lock (_lock)
        {
            var batch = new Batch([], new CancellationTokenSource());
            while (batch.Questions.Count < MaxItems && _waiting.TryDequeue(out var question))
            {
                if (question.IsGivenUp)
                    continue;
                question.Batch = batch;
                batch.Questions.Add(question);
            }

            if (batch.Questions.Count > 0)
                return batch;
            _underWay--;
            return null;
        }
    }

    /// <summary>One call.</summary>
    private sealed record Batch(List<Question> Questions, CancellationTokenSource Ending);

    private sealed class Question(Cid cid)
    {
        public Cid Cid => cid;

        public TaskCompletionSource<V1.PinInfo> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Batch? Batch { get; set; }

        public bool IsGivenUp { get; set; }
    }

    private sealed class Collector : IReplyCollector<List<V1.PinInfo>>
    {
        private List<V1.PinInfo> _collected = [];

        public int Count => _collected.Count;

        public bool IsFull => Count >= MaxItems;

        public void Add(ref MsgpackReader value)
        {
            using var row = new StatusRowReader();
            _collected.Add(V1.PinInfo.Parser.ParseFrom(row.Read(ref value)));
        }

        public List<V1.PinInfo> Take()
        {
            var taken = _collected;
            _collected = [];
            return taken;
        }
    }
}
