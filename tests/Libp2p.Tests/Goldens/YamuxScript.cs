using System.Buffers;
using System.Text.Json;
using Libp2p.Muxing;
using Libp2p.Simulation;
using Libp2p.Testing;
using Xunit;

namespace Libp2p.Tests.Goldens;

/// <summary>
/// Plays one recorded session: our session takes the place of one side and is fed the frames of the other. What the side is made to
/// do follows from the frames it sent; what it read, from the results.
/// </summary>
internal sealed class YamuxScript : IAsyncDisposable
{
    private readonly ScriptedStream wire = new();

    // Stands still but for a tenth of a second a step, so that round trips are short and readers slow: windows do not grow.
    private readonly VirtualTime time = new();
    private readonly string side;
    private readonly YamuxSession session;
    private readonly Dictionary<uint, YamuxStream> streams = [];
    private readonly List<Task> writes = [];

    // Lengths of the data frames that wait to be read: the original reads frame by frame, which its window updates show.
    private readonly Dictionary<uint, LinkedList<int>> unread = [];
    private int taken;
    private uint current;

    public YamuxScript(string side)
    {
        this.side = side;
        session = new YamuxSession(wire, client: side == "client", new YamuxOptions(), UnlimitedMemory.Instance, time);
    }

    public async Task PlayAsync(JsonElement recorded)
    {
        session.Start();
        foreach (var step in recorded.List("steps"))
        {
            try
            {
                await StepAsync(step);
                // The clock goes on only when the session has acted on all it was sent.
                await TestHosts.EventuallyAsync(() => wire.IsDrained || session.Closed.IsCompleted, $"[{side}] {step.Text("do")}: not all was read");
                time.Advance(TimeSpan.FromMilliseconds(100));
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                throw new Xunit.Sdk.XunitException($"[{side}] {step.Text("do")}: {e}");
            }
        }
    }

    private async Task StepAsync(JsonElement step)
    {
        string what = step.Text("do")!;
        bool theirs = false;
        // 256 streams at once are told in words, not frame by frame.
        if (await BulkAsync(what)) return;
        var frames = step.List("frames").ToList();
        // What the other side sent because of our window update, it does not send before.
        int update = frames.FindLastIndex(f => Own(f) && f.Text("type") == "WindowUpdate" && !f.List("flags").Any());
        var because = update < 0 ? [] : frames[(update + 1)..];
        frames = update < 0 ? frames : frames[..(update + 1)];
        int at = 0;
        // Reading comes first where only it makes this side write (window updates).
        if (!frames.Any(f => Own(f) && f.Text("type") == "Data") && !what.StartsWith("accept one", StringComparison.Ordinal)) theirs = Feed(frames);
        foreach (var frame in frames)
        {
            at++;
            if (!Own(frame)) continue;
            if (frame.TryGetProperty("close_connection", out _))
            {
                if (frames.Any(f => !Own(f) && f.TryGetProperty("close_connection", out _)) && !theirs && what.StartsWith(side, StringComparison.Ordinal)) await session.CloseAsync();
                await session.Closed.WaitAsync(TestHosts.Deadline());
                return;
            }
            await CauseAsync(frame, frames, at, step);
        }
        if (!theirs) Feed(frames);
        if (IsOurs(what) && what.Contains("closes", StringComparison.Ordinal) && !what.Contains("write side", StringComparison.Ordinal)
            || IsOurs(what) && what.Contains("CloseRead", StringComparison.Ordinal)
            || what.EndsWith("write, close", StringComparison.Ordinal) || what == "client closes, server closes")
            await streams[current].Input.CompleteAsync();
        await ResultsAsync(step, what);
        // At the start the answer to a ping and one's own ping pass each other.
        bool pings = frames.Count > 0 && frames.All(f => f.Text("type") == "Ping") && frames.Any(f => Own(f) && Has(f, "SYN"));
        var own = pings ? frames.Where(Own).OrderByDescending(f => Has(f, "SYN")) : frames.Where(Own);
        foreach (var frame in own) await ExpectAsync(frame);
        Feed(because);
    }

    private bool IsOurs(string what) =>
        !(what.StartsWith("client", StringComparison.Ordinal) || what.StartsWith("server", StringComparison.Ordinal)) || what.StartsWith(side, StringComparison.Ordinal);

    private LinkedList<int> UnreadOf(uint stream)
    {
        if (!unread.TryGetValue(stream, out var frames)) unread.Add(stream, frames = []);
        return frames;
    }

    private bool Own(JsonElement frame) => frame.Text("from") == side;

    private bool Feed(List<JsonElement> frames)
    {
        bool any = false;
        foreach (var frame in frames.Where(f => !Own(f)).OrderBy(f => f.TryGetProperty("close_connection", out _)))
        {
            any = true;
            if (frame.TryGetProperty("close_connection", out _))
            {
                wire.FeedEnd();
                continue;
            }
            if (frame.Text("type") == "Data") UnreadOf(frame.GetProperty("stream").GetUInt32()).AddLast(frame.GetProperty("length").GetInt32());
            wire.Feed(Bytes(frame));
        }
        return any;
    }

    /// <summary>Does what made the original send a frame.</summary>
    private async Task CauseAsync(JsonElement frame, List<JsonElement> frames, int at, JsonElement step)
    {
        uint id = frame.GetProperty("stream").GetUInt32();
        if (id != 0) current = id;
        switch (frame.Text("type"))
        {
            case "WindowUpdate" when Has(frame, "SYN"):
                var opened = await session.OpenAsync(hold: false, TestHosts.Deadline());
                Assert.Equal(id, opened.Id);
                streams[id] = opened;
                break;
            case "WindowUpdate" when Has(frame, "ACK"):
                await AcceptAsync(id);
                break;
            case "WindowUpdate" when Has(frame, "FIN"):
                streams[id].CloseWrite();
                break;
            case "WindowUpdate" when Has(frame, "RST"):
                // A stream that was never accepted is reset by the session itself.
                if (streams.TryGetValue(id, out var stream)) stream.Reset(frame.GetProperty("length").GetUInt32());
                break;
            case "Data":
                // All data frames of a step are one write; the first of them starts it.
                if (frames.Take(at - 1).Any(f => Own(f) && f.Text("type") == "Data" && f.GetProperty("stream").GetUInt32() == id)) break;
                // The rest of an earlier write that a window update let go.
                if (writes.Count > 0 && !writes[^1].IsCompleted) break;
                writes.Add(streams[id].Output.WriteAsync(Written(step, frame, frames)).AsTask());
                break;
            case "GoAway":
                if (frame.GetProperty("length").GetUInt32() != 0) _ = session.CloseAsync(frame.GetProperty("length").GetUInt32());
                else session.Output.Append(new YamuxHeader(YamuxType.GoAway, YamuxFlags.None, 0, 0));
                break;
            default:
                break;
        }
    }

    private async Task AcceptAsync(uint id)
    {
        var accepted = await session.AcceptAsync(TestHosts.Deadline());
        Assert.Equal(id, accepted!.Id);
        streams[id] = accepted;
    }

    private static byte[] Written(JsonElement step, JsonElement frame, List<JsonElement> frames)
    {
        // "writes 300000 bytes" is longer than what the window lets go at first.
        string digits = new([.. step.Text("do")!.SkipWhile(c => c != 'w' ).SkipWhile(c => !char.IsAsciiDigit(c)).TakeWhile(char.IsAsciiDigit)]);
        if (frame.Text("data_length") is null && frame.TryGetProperty("data_length", out _) && digits.Length > 0)
            return TestHosts.Pattern(int.Parse(digits, System.Globalization.CultureInfo.InvariantCulture));
        return [.. frames.Where(f => f.Text("from") == frame.Text("from") && f.Text("type") == "Data").SelectMany(f => Bytes(f).Skip(YamuxHeader.Size))];
    }

    private async Task ResultsAsync(JsonElement step, string what)
    {
        if (!step.TryGetProperty("result", out var result) || result.ValueKind != JsonValueKind.Object) return;
        if (!IsOurs(what)) return;
        if (what.Contains("accepts the dead", StringComparison.Ordinal) || what.StartsWith("accept, read", StringComparison.Ordinal) && !streams.ContainsKey(current == 0 ? 1 : current)
            || what.Contains("accepts and reads: data before", StringComparison.Ordinal))
        {
            var dead = await session.AcceptAsync(TestHosts.Deadline());
            streams[dead!.Id] = dead;
            current = dead.Id;
        }
        await CheckReadsAsync(result);
        if (result.TryGetProperty("session_open", out var open))
        {
            if (open.GetBoolean())
            {
                Assert.False(session.Closed.IsCompleted);
                if (result.TryGetProperty("streams", out var count))
                    await TestHosts.EventuallyAsync(() => session.StreamCount == count.GetInt32(), $"{session.StreamCount} streams are open, not {count}");
            }
            else
            {
                await session.Closed.WaitAsync(TestHosts.Deadline());
            }
        }
    }

    private async Task CheckReadsAsync(JsonElement result)
    {
        if (result.TryGetProperty("read", out var read) && read.ValueKind == JsonValueKind.Number)
        {
            await ReadAsync(result);
            return;
        }
        if (result.TryGetProperty("written", out var written) && result.Text("error") is { } refused && refused != "i/o deadline reached" && written.GetInt32() == 0)
        {
            await Assert.ThrowsAnyAsync<Exception>(async () => await streams[current].SendAsync(new byte[1], default));
            return;
        }
        foreach (var part in result.EnumerateObject())
        {
            if (part.Value.ValueKind == JsonValueKind.Object) await CheckReadsAsync(part.Value);
        }
    }

    private async Task ReadAsync(JsonElement result)
    {
        var input = streams[current].Input;
        int length = result.GetProperty("read").GetInt32();
        string? error = result.Text("error");
        if (error is not null && error != "EOF")
        {
            // Reading after one's own CloseRead is a fault of the caller in .NET as well.
            await Assert.ThrowsAnyAsync<Exception>(async () =>
            {
                var ended = await input.ReadAsync(TestHosts.Deadline());
                if (ended.IsCompleted) throw new StreamResetException(0, byRemote: false);
            });
            return;
        }
        if (length == 0)
        {
            var end = await input.ReadAsync(TestHosts.Deadline());
            Assert.True(end.IsCompleted && end.Buffer.IsEmpty);
            input.AdvanceTo(end.Buffer.End);
            return;
        }
        byte[] data = new byte[length];
        for (int n = 0; n < length;)
        {
            var got = await input.ReadAsync(TestHosts.Deadline());
            var frame = UnreadOf(current).First!;
            var piece = got.Buffer.Slice(0, Math.Min(got.Buffer.Length, Math.Min(frame.Value, length - n)));
            frame.Value -= (int)piece.Length;
            if (frame.Value == 0) frame.List!.Remove(frame);
            piece.CopyTo(data.AsSpan(n));
            n += (int)piece.Length;
            input.AdvanceTo(piece.End);
        }
        if (result.Text("data_hex") is { } hex) Assert.Equal(hex, Golden.Hex(data));
        else Assert.Equal(result.Text("data_sha256_hex"), Golden.Hex(System.Security.Cryptography.SHA256.HashData(data)));
    }

    private async Task<bool> BulkAsync(string what)
    {
        if (what.StartsWith("SYN for streams 1, 3,", StringComparison.Ordinal))
        {
            for (uint id = 1; id <= 511; id += 2) wire.Feed(Frame(YamuxType.WindowUpdate, YamuxFlags.Syn, id, 0));
            return true;
        }
        if (what.StartsWith("client opens 256 streams", StringComparison.Ordinal))
        {
            for (uint id = 1; id <= 511; id += 2)
            {
                streams[id] = await session.OpenAsync(hold: false, TestHosts.Deadline());
                await ExpectBytesAsync(Frame(YamuxType.WindowUpdate, YamuxFlags.Syn, id, 0));
            }
            return true;
        }
        if (what.StartsWith("it tries to open one more", StringComparison.Ordinal))
        {
            using var soon = new CancellationTokenSource(100);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await session.OpenAsync(hold: false, soon.Token));
            return true;
        }
        return false;
    }

    private async Task ExpectAsync(JsonElement frame)
    {
        if (frame.TryGetProperty("close_connection", out _) || frame.TryGetProperty("not_a_whole_frame", out _)) return;
        await ExpectBytesAsync(Bytes(frame));
    }

    private async Task ExpectBytesAsync(byte[] expected)
    {
        // Our own measuring ping, once at the start, comes when it comes.
        await TestHosts.EventuallyAsync(() => wire.Written.Length >= taken + expected.Length, $"[{side}] sent only {Golden.Hex(wire.Written.AsSpan(taken))}, not {Golden.Hex(expected.AsSpan(0, Math.Min(40, expected.Length)))}");
        Assert.Equal(Golden.Hex(expected), Golden.Hex(wire.Written.AsSpan(taken, expected.Length)));
        taken += expected.Length;
    }

    private static bool Has(JsonElement frame, string flag) => frame.List("flags").Any(f => f.GetString() == flag);

    private static byte[] Frame(YamuxType type, YamuxFlags flags, uint id, uint length)
    {
        var bytes = new byte[YamuxHeader.Size];
        new YamuxHeader(type, flags, id, length).Write(bytes);
        return bytes;
    }

    // Where in the pattern a long frame begins, found by its first bytes.
    private static byte[] Bytes(JsonElement frame)
    {
        if (frame.TryGetProperty("not_a_whole_frame", out _)) return frame.Hex("bytes_hex");
        var flags = frame.List("flags").Aggregate(YamuxFlags.None, (all, f) => all | Enum.Parse<YamuxFlags>(f.GetString()!, ignoreCase: true));
        byte[] header = Frame(Enum.Parse<YamuxType>(frame.Text("type")!), flags, frame.GetProperty("stream").GetUInt32(), frame.GetProperty("length").GetUInt32());
        if (frame.Text("header_hex") is { } recorded) Assert.Equal(recorded, Golden.Hex(header));
        if (frame.Text("data_hex") is { } hex) return [.. header, .. Convert.FromHexString(hex)];
        if (!frame.TryGetProperty("data_length", out var length)) return header;
        byte[] pattern = TestHosts.Pattern(length.GetInt32() + 251), first = frame.Hex("data_first_16_hex");
        int offset = pattern.AsSpan(0, 251 + 16).IndexOf(first);
        byte[] data = pattern[offset..(offset + length.GetInt32())];
        Assert.Equal(frame.Text("data_sha256_hex"), Golden.Hex(System.Security.Cryptography.SHA256.HashData(data)));
        return [.. header, .. data];
    }

    public ValueTask DisposeAsync()
    {
        session.End(new ConnectionClosedException("The test is over."));
        return default;
    }
}
