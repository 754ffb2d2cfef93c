using System.IO.Pipelines;
using System.Text.Json.Nodes;
using Cluster.PeerRpc.Msgpack;
using Cluster.PeerRpc.Streams;
using Libp2p;

namespace Cluster.PeerRpc.Tests;

/// <summary>Whole recorded streams of the peer RPC (golden bytes/gorpc.json), our server and our client in the place of the original.</summary>
[Trait("Category", "Golden")]
public sealed class StreamTests
{
    private static readonly JsonNode File = Vectors.File("gorpc.json");
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    // Answers that differ for a good reason, by name.
    private static readonly Dictionary<string, string> OtherwiseAnswered = new()
    {
        ["service id as a string"] = "the original answers twice on the stream; one answer is enough (peer-rpc 1)",
        ["nothing, write side closed"] = "the original answers twice on the stream; one answer is enough (peer-rpc 1)",
        ["Status with an integer argument"] = "the error's wording is that of Go's decoder",
        ["Version with a bin argument"] = "the error's wording is that of Go's decoder",
        ["StatusAll with a string argument"] = "the original cancels itself; ours names the bad argument",
        ["client resets a streaming call before its argument"] = "nobody reads an answer",
        ["client cancels a running unary call (PeerAdd, while the callee waits for our slow Cluster.ID)"] = "nobody reads an answer",
    };

    public static TheoryData<int, string> Answered => Flows(flow => flow["client"]!.GetValue<string>() == "test peer");

    public static TheoryData<int, string> Asked => Flows(flow => flow["client"]!.GetValue<string>() == "Go peer");

    [Theory, MemberData(nameof(Answered))]
    public async Task Our_server_answers_byte_for_byte_as_the_original(int index, string name)
    {
        var flow = File["flows"]![index]!;
        var (ours, theirs) = Duplex.Pair();
        await theirs.Output.WriteAsync(Convert.FromHexString(flow["client_hex"]!.GetValue<string>()));
        if (!name.Contains("left open", StringComparison.Ordinal)) await theirs.Output.CompleteAsync();
        using var limit = new CancellationTokenSource(Limit);
        var trusting = !flow["peer"]!.GetValue<string>().Contains("trusts nobody", StringComparison.Ordinal);
        await new RpcServer(Methods(Recorded(flow)), _ => trusting).ServeAsync(default, ours, limit.Token);
        var answer = Convert.ToHexStringLower(await theirs.Input.ReadToEndAsync(limit.Token));
        if (OtherwiseAnswered.ContainsKey(name)) return;
        Assert.Equal(flow["server_hex"]!.GetValue<string>(), answer);
    }

    [Fact]
    public async Task An_answer_that_is_quicker_than_the_end_of_our_own_flush_is_taken()
    {
        var (ours, theirs) = Duplex.Pair();
        using var limit = new CancellationTokenSource(Limit);
        var id = new ServiceId("Cluster", "Stream");
        var input = new ToldEnd(ours.Input);
        var slow = new Duplex(input, new SlowFlush(ours.Output, async () =>
        {
            // The peer has everything, answers, and ends; we learn that our bytes went out when that has been read.
            await theirs.Output.CompleteAsync();
            await input.Read.WaitAsync(limit.Token);
        }));
        await foreach (var reply in RpcClient.StreamAsync(slow, id, Arguments([[0x01]]), Raw, limit.Token)) Assert.Fail($"{reply.Length} bytes came");
    }

    /// <summary>A reader that tells when its end has been read.</summary>
    private sealed class ToldEnd(PipeReader inner) : PipeReader
    {
        private readonly TaskCompletionSource _read = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Read => _read.Task;

        public override void AdvanceTo(SequencePosition consumed) => inner.AdvanceTo(consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => inner.AdvanceTo(consumed, examined);

        public override void CancelPendingRead() => inner.CancelPendingRead();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
        {
            var result = await inner.ReadAsync(cancellationToken);
            if (result.IsCompleted) _read.TrySetResult();
            return result;
        }

        public override bool TryRead(out ReadResult result)
        {
            var any = inner.TryRead(out result);
            if (any && result.IsCompleted) _read.TrySetResult();
            return any;
        }
    }

    /// <summary>A writer whose flushes end when something else has.</summary>
    private sealed class SlowFlush(PipeWriter inner, Func<Task> before) : PipeWriter
    {
        public override void Advance(int bytes) => inner.Advance(bytes);

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        public override async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        {
            var flushed = await inner.FlushAsync(cancellationToken);
            await before();
            return flushed;
        }

        public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);
    }

    [Theory, MemberData(nameof(Asked))]
    public async Task Our_client_asks_byte_for_byte_as_the_original(int index, string name)
    {
        _ = name;
        var flow = File["flows"]![index]!;
        var (ours, theirs) = Duplex.Pair();
        await theirs.Output.WriteAsync(Convert.FromHexString(flow["server_hex"]!.GetValue<string>()));
        await theirs.Output.CompleteAsync();
        using var limit = new CancellationTokenSource(Limit);
        var frames = flow["frames"]!.AsArray();
        var sent = frames.Where(frame => frame!["dir"]!.GetValue<string>() == "client" && frame["hex"] is not null)
            .Select(frame => Convert.FromHexString(frame!["hex"]!.GetValue<string>())).ToArray();
        var id = ReadId(sent[0]);
        var streaming = frames.Any(frame => frame!["dir"]!.GetValue<string>() == "client" && frame["event"]?.GetValue<string>() == "close-write")
            || Streaming.Contains(id.ToString());
        try
        {
            if (streaming)
            {
                await foreach (var _reply in RpcClient.StreamAsync(ours, id, Arguments(sent[1..]), Raw, limit.Token)) Assert.NotEmpty(_reply);
            }
            else
            {
                Assert.NotEmpty(await RpcClient.CallAsync(ours, id, writer => writer.Encoded(sent[1]), Raw, limit.Token));
            }
        }
        catch (PeerCallException refused)
        {
            Assert.Contains(refused.Message, flow["frames"]!.ToJsonString(), StringComparison.Ordinal);
        }
        Assert.Equal(flow["client_hex"]!.GetValue<string>(), Convert.ToHexStringLower(await theirs.Input.ReadToEndAsync(limit.Token)));
    }

    [Fact]
    public async Task Values_may_arrive_byte_by_byte()
    {
        var flow = File["flows"]!.AsArray().First(f => f!["name"]!.GetValue<string>() == "ID")!;
        var (ours, theirs) = Duplex.Pair();
        using var limit = new CancellationTokenSource(Limit);
        var serving = new RpcServer(Methods(Recorded(flow)), _ => true).ServeAsync(default, ours, limit.Token);
        foreach (var value in Convert.FromHexString(flow["client_hex"]!.GetValue<string>())) await theirs.Output.WriteAsync(new[] { value });
        await serving;
        Assert.Equal(flow["server_hex"]!.GetValue<string>(), Convert.ToHexStringLower(await theirs.Input.ReadToEndAsync(limit.Token)));
    }

    [Fact]
    public async Task A_value_without_end_is_cut_off_before_it_fills_the_memory()
    {
        var (ours, theirs) = Duplex.Pair();
        using var limit = new CancellationTokenSource(Limit);
        var serving = new RpcServer(Methods([]), _ => true).ServeAsync(default, ours, limit.Token);
        var flood = Task.Run(async () =>
        {
            await theirs.Output.WriteAsync(new byte[] { 0xdb, 0x7f, 0xff, 0xff, 0xff }, limit.Token);
            for (FlushResult flushed = default; !flushed.IsCompleted;) flushed = await theirs.Output.WriteAsync(new byte[1 << 16], limit.Token);
        }, limit.Token);
        await serving;
        await flood;
        var reader = new MsgpackReader((await theirs.Input.ReadToEndAsync(limit.Token)));
        Assert.Contains("longer than", ResponseHeader.Read(ref reader).Error, StringComparison.Ordinal);
    }

    private static readonly string[] Streaming =
    [
        "Cluster.IDStream", "Cluster.Peers", "Cluster.RecoverAllLocal", "PinTracker.StatusAll", "IPFSConnector.BlockStream", "Cluster.StatusAll",
    ];

    /// <summary>Methods that return, or fail with, what the original returned.</summary>
    private static IEnumerable<RpcMethod> Methods(IReadOnlyList<(string Error, int Kind, byte[] Value)> answers)
    {
        string[] open = ["Cluster.ID", "Cluster.IDStream", "Cluster.PeerAdd", "Cluster.Version"];
        string[] trusted =
        [
            "Cluster.PeerRemove", "Cluster.Peers", "Cluster.RecoverAllLocal", "Cluster.RecoverLocal", "Cluster.RepoGCLocal", "PinTracker.Recover",
            "PinTracker.Status", "PinTracker.StatusAll", "IPFSConnector.BlockStream", "IPFSConnector.RepoStat", "IPFSConnector.SwarmPeers",
            "Consensus.AddPeer", "Consensus.LogPin", "Consensus.LogUnpin", "Consensus.RmPeer",
        ];
        string[] closed =
        [
            "Cluster.Alerts", "Cluster.ConnectGraph", "Cluster.IPFSID", "Cluster.Join", "Cluster.Pin", "Cluster.PinGet", "Cluster.RepoGC",
            "Cluster.SendInformersMetrics", "Cluster.StatusAll", "PinTracker.PinQueueSize", "IPFSConnector.ConfigKey", "IPFSConnector.BlockGet",
            "PeerMonitor.LatestMetrics", "PeerMonitor.MetricNames",
        ];
        var first = answers.Count > 0 ? answers[0] : (Error: "context canceled", Kind: 0, Value: [0x80]);
        foreach (var name in closed) yield return new ClosedMethod(Id(name));
        foreach (var (name, policy) in open.Select(n => (n, RpcPolicy.Open)).Concat(trusted.Select(n => (n, RpcPolicy.Trusted))))
        {
            if (Streaming.Contains(name)) yield return new StreamingMethod<byte[], byte[]>(Id(name), policy, Raw, Write, Replies);
            else
            {
                yield return new UnaryMethod<byte[], byte[]>(Id(name), policy, name == "PinTracker.Status" ? Cid : name == "Cluster.Version" ? Struct : Raw, Write,
                    writer => writer.Encoded(first.Value),
                    (_, _, _) => first is { Error: { Length: > 0 } error } ? throw new InvalidOperationException(error) : ValueTask.FromResult(first.Value));
            }
        }

        async IAsyncEnumerable<byte[]> Replies(PeerId caller, IAsyncEnumerable<byte[]> arguments,
            [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
        {
            if (answers is not [{ Error.Length: > 0 }])
            {
                foreach (var answer in answers) yield return answer.Value;
                yield break;
            }
            await foreach (var _ in arguments.WithCancellation(cancellation)) { }
            throw new InvalidOperationException(answers[0].Error);
        }
    }

    private static List<(string Error, int Kind, byte[] Value)> Recorded(JsonNode flow)
    {
        var values = flow["frames"]!.AsArray().Where(frame => frame!["dir"]!.GetValue<string>() == "server" && frame["hex"] is not null)
            .Select(frame => Convert.FromHexString(frame!["hex"]!.GetValue<string>())).ToArray();
        List<(string, int, byte[])> answers = [];
        for (var i = 0; i + 1 < values.Length; i += 2)
        {
            var reader = new MsgpackReader(values[i]);
            var header = ResponseHeader.Read(ref reader);
            answers.Add((header.Error, (int)header.Kind, values[i + 1]));
        }
        return answers;
    }

    private static byte[] Raw(ref MsgpackReader reader) => reader.Value().ToArray();

    private static byte[] Cid(ref MsgpackReader reader) => reader.Cid().ToBytes();

    private static byte[] Struct(ref MsgpackReader reader)
    {
        var fields = reader.Struct([]);
        while (fields.Next(ref reader, out _)) reader.Skip();
        return [];
    }

    private static void Write(MsgpackWriter writer, byte[] value) => writer.Encoded(value);

    private static ServiceId ReadId(byte[] bytes)
    {
        var reader = new MsgpackReader(bytes);
        return ServiceId.Read(ref reader);
    }

    private static ServiceId Id(string name) => new(name.Split('.')[0], name.Split('.')[1]);

    private static async IAsyncEnumerable<Action<MsgpackWriter>> Arguments(byte[][] values)
    {
        await Task.Yield();
        foreach (var value in values) yield return writer => writer.Encoded(value);
    }

    private static TheoryData<int, string> Flows(Func<JsonNode, bool> which)
    {
        var data = new TheoryData<int, string>();
        var flows = File["flows"]!.AsArray();
        for (var i = 0; i < flows.Count; i++)
            if (which(flows[i]!)) data.Add(i, flows[i]!["name"]!.GetValue<string>());
        return data;
    }
}
