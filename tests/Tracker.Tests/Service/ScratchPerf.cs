using System.Diagnostics;
using Cluster.Contracts.V1;
using Cluster.Tracker.Core;
using Cluster.Tracker.Tests.Core;
using Google.Protobuf;
using Grpc.Core;
using Ipld;
using Xunit.Abstractions;
namespace Cluster.Tracker.Tests.Service;

public class ScratchPerf(ITestOutputHelper o)
{
    [Fact]
    public async Task Perf()
    {
        const int N = 100_000;
        await using var house = await House.OpenAsync(new TrackerSettings { ConcurrentPins = 10 });
        var cids = Enumerable.Range(0, N).Select(i => { var b = new byte[36]; new Random(i).NextBytes(b); b[0]=1;b[1]=0x55;b[2]=0x12;b[3]=32; return Cid.FromBytes(b); }).ToArray();
        var sw = Stopwatch.StartNew();
        for (var i = 0; i < N; i += 200)
            house.State.Put(cids[i..(i + 200)].Select(c => FakeState.PinOf(c, name: "some name of it")).ToArray());
        await house.StatusAsync(cids[0], (ulong)N);
        o.WriteLine($"tracked {sw.ElapsedMilliseconds} ms; pinned {house.Tracker.Count(PinState.Pinned)}");
        for (var k = 0; k < 300 && house.Tracker.Count(PinState.Pinned) < N; k++) { await Task.Delay(100); if (k % 10 == 0) File.AppendAllText("/tmp/tk_perf.txt", $"{sw.ElapsedMilliseconds} {house.Tracker.Count(PinState.Pinned)} {house.Tracker.Counts} {house.Connector.PinRequests.Count} {GC.CollectionCount(0)} {GC.CollectionCount(2)}\n"); }
        o.WriteLine($"pinned {sw.ElapsedMilliseconds} ms");
        for (var r = 0; r < 4; r++)
        {
            sw.Restart();
            long first = 0; var n = 0;
            using var call = house.Client.StatusAll(new TrackerStatusAllRequest { WithoutPeer = r % 2 == 1 });
            await foreach (var page in call.ResponseStream.ReadAllAsync()) { if (n == 0) first = sw.ElapsedMilliseconds; n += page.Items.Count; }
            File.AppendAllText("/tmp/tk_perf.txt", $"list {n} {sw.ElapsedMilliseconds}\n"); o.WriteLine($"list {n} first {first} ms all {sw.ElapsedMilliseconds} ms");
        }
        for (var r = 0; r < 3; r++)
        {
            sw.Restart();
            using var calls = house.Client.Calls();
            const int M = 50_000;
            var reading = Task.Run(async () => { var n = 0; while (n < M && await calls.ResponseStream.MoveNext(default)) n += calls.ResponseStream.Current.Results.Count; return n; });
            for (var i = 0; i < M; i += 100)
            {
                var b = new TrackerCallBatch();
                for (var j = 0; j < 100; j++) b.Calls.Add(new TrackerCall { Id = (ulong)(i + j), Status = new TrackerStatusRequest { Cid = ByteString.CopyFrom(cids[(i + j) * 7 % N].Bytes) } });
                await calls.RequestStream.WriteAsync(b);
            }
            var got = await reading;
            File.AppendAllText("/tmp/tk_perf.txt", $"statuses {sw.ElapsedMilliseconds}\n"); o.WriteLine($"statuses {got} in {sw.ElapsedMilliseconds} ms, questions {house.Connector.Questions}");
        }
        sw.Restart();
        o.WriteLine($"recover all {(await house.RecoverAllAsync()).Count} {sw.ElapsedMilliseconds} ms");
        sw.Restart();
        await house.StopTrackerAsync();
        o.WriteLine($"stop {sw.ElapsedMilliseconds}");
        sw.Restart();
        await house.StartTrackerAsync();
        o.WriteLine($"start {sw.ElapsedMilliseconds}");
        await house.StatusAsync(cids[5]);
        o.WriteLine($"status {sw.ElapsedMilliseconds}");
    }
}
