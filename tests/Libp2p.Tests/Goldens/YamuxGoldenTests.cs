using System.Text.Json;
using Libp2p.Muxing;
using Libp2p.Simulation;
using Libp2p.Testing;
using Xunit;

namespace Libp2p.Tests.Goldens;

[Trait("Category", "Golden")]
public sealed class YamuxGoldenTests
{
    private static readonly JsonElement File = Golden.Read("libp2p/yamux.json");

    [Fact]
    public void The_settings_are_those_of_the_original()
    {
        var config = File.GetProperty("config");
        var options = new YamuxOptions();
        Assert.Equal(config.GetProperty("AcceptBacklog").GetInt32(), options.AcceptBacklog);
        Assert.Equal(YamuxOptions.InitialWindow, config.GetProperty("InitialStreamWindowSize").GetUInt32());
        Assert.Equal(config.GetProperty("MaxStreamWindowSize").GetUInt32(), options.MaxWindow);
        Assert.Equal(config.GetProperty("MaxMessageSize").GetInt32(), options.MaxFrame);
        Assert.Equal(config.Text("KeepAliveInterval"), $"{options.KeepAliveInterval.TotalSeconds}s");
        Assert.Equal(config.Text("MeasureRTTInterval"), $"{options.RoundTripInterval.TotalSeconds}s");
        Assert.Equal(config.Text("ConnectionWriteTimeout"), $"{options.ResponseTimeout.TotalSeconds}s");
    }

    [Fact]
    public void Recorded_sessions_play_on_either_side() =>
        Golden.ForEach(File.List("sessions"), s => s.Text("name")!, s =>
        {
            foreach (string side in s.Text("real_side") is { } real ? [real] : (string[])["client", "server"]) PlayAsync(s, side).GetAwaiter().GetResult();
        });

    private static async Task PlayAsync(JsonElement session, string side)
    {
        await using var script = new YamuxScript(side);
        await script.PlayAsync(session).WaitAsync(TestHosts.Deadline(120));
    }

    [Fact]
    public void Idle_sessions_ping_and_end_when_recorded() =>
        Golden.ForEach(File.List("idle").Where(i => i.Text("real_side") is not null), i => i.Text("name")!, i =>
        {
            string side = i.Text("real_side")!;
            var time = new VirtualTime();
            var wire = new ScriptedStream();
            var session = new YamuxSession(wire, client: side == "client", new YamuxOptions(), UnlimitedMemory.Instance, time);
            session.Start();
            int now = 0, taken = 0;
            // Real clocks jitter by some milliseconds; ours does not. What falls together has no order between the two sides.
            foreach (var moment in i.List("frames").GroupBy(f => (f.GetProperty("ms").GetInt32() + 250) / 500 * 500))
            {
                if (moment.Key > now) time.AdvanceAsync(TimeSpan.FromMilliseconds(moment.Key - now), TimeSpan.FromMilliseconds(500)).GetAwaiter().GetResult();
                now = moment.Key;
                foreach (var frame in moment.Where(f => f.Text("from") != side && f.Text("header_hex") is not null)) wire.Feed(frame.Hex("header_hex"));
                var expected = moment.Where(f => f.Text("from") == side && f.Text("header_hex") is not null).Select(f => f.Text("header_hex")!).Order().ToList();
                // The clock goes on only when the session has acted on all it was sent.
                TestHosts.EventuallyAsync(() => wire.Written.Length >= taken + 12 * expected.Count && (wire.IsDrained || session.Closed.IsCompleted), $"not all was sent at {now} ms").GetAwaiter().GetResult();
                var own = Enumerable.Range(0, expected.Count).Select(n => Golden.Hex(wire.Written.AsSpan(taken + 12 * n, 12))).Order();
                Assert.Equal(expected, own);
                taken += 12 * expected.Count;
                if (moment.Any(f => f.Text("from") == side && f.TryGetProperty("close_connection", out _))) session.Closed.WaitAsync(TestHosts.Deadline()).GetAwaiter().GetResult();
            }
            if (i.TryGetProperty("session_closed", out var closed)) Assert.Equal(closed.GetBoolean(), session.Closed.IsCompleted);
            session.End(new ConnectionClosedException("The test is over."));
        });

    // Where the original sends two pings at one moment (measuring, and keeping alive) because the first was answered within
    // microseconds, ours counts one for both; so the moments are compared, and not the numbers in the pings.
    [Fact]
    public void Two_idle_sides_ping_and_answer_at_the_recorded_moments() =>
        Golden.ForEach(File.List("idle").Where(i => i.Text("real_side") is null), i => i.Text("name")!, i =>
        {
            foreach (string side in i.List("frames").Select(f => f.Text("from")!).Distinct().ToList()) PlayIdle(i, side);
        });

    private static void PlayIdle(JsonElement i, string side)
    {
        var step = TimeSpan.FromMilliseconds(500);
        var time = new VirtualTime();
        var wire = new ScriptedStream();
        var session = new YamuxSession(wire, client: side == "client", new YamuxOptions(), UnlimitedMemory.Instance, time);
        var frames = i.List("frames").Where(f => f.Text("type") == "Ping").ToLookup(f => (f.GetProperty("ms").GetInt32() + 250) / 500 * 500);
        int begin = frames.Where(g => g.Any(f => f.Text("from") == side)).Min(g => g.Key), end = frames.Max(g => g.Key);
        var pinged = new SortedSet<int>();
        var answered = new List<string>();
        var pongs = new Queue<byte[]>();
        int taken = 0;
        for (int now = 0; now <= end; now += 500)
        {
            if (now > 0) time.AdvanceAsync(step, step).GetAwaiter().GetResult();
            if (now == begin) session.Start();
            var theirs = frames[now].Where(f => f.Text("from") != side && IsSyn(f)).ToList();
            foreach (var frame in theirs) wire.Feed(frame.Hex("header_hex"));
            int due = answered.Count + (now < begin ? 0 : theirs.Count);
            bool pings = frames[now].Any(f => f.Text("from") == side && IsSyn(f));
            TestHosts.EventuallyAsync(() => Take(now) && answered.Count >= due && (!pings || pinged.Contains(now)) && (now < begin || wire.IsDrained), $"[{side}] no ping or answer at {now} ms").GetAwaiter().GetResult();
        }
        var own = frames.SelectMany(g => g.Where(f => f.Text("from") == side).Select(f => (At: g.Key, Frame: f))).ToList();
        Assert.Equal(own.Where(f => IsSyn(f.Frame)).Select(f => f.At).Distinct().Order(), pinged);
        Assert.Equal(own.Where(f => !IsSyn(f.Frame)).Select(f => f.Frame.Text("header_hex")), answered);
        Assert.False(session.Closed.IsCompleted);
        session.End(new ConnectionClosedException("The test is over."));

        bool Take(int now)
        {
            byte[] written = wire.Written;
            // The other side answers when it did; before its start it could not.
            bool answers = frames[now].Any(f => f.Text("from") != side && !IsSyn(f));
            for (; taken + YamuxHeader.Size <= written.Length; taken += YamuxHeader.Size)
            {
                byte[] frame = written[taken..(taken + YamuxHeader.Size)];
                if (frame[3] == (byte)YamuxFlags.Ack)
                {
                    answered.Add(Golden.Hex(frame));
                    continue;
                }
                pinged.Add(now);
                frame[3] = (byte)YamuxFlags.Ack;
                pongs.Enqueue(frame);
            }
            while (answers && pongs.TryDequeue(out byte[]? pong)) wire.Feed(pong);
            return true;
        }
    }

    private static bool IsSyn(JsonElement frame) => frame.List("flags").Any(f => f.GetString() == "SYN");
}
