using System.Text;
using System.Text.Json;
using Cluster.PinState.Transfer;

namespace Cluster.PinState.Tests;

public sealed class TransferTests : IDisposable
{
    private readonly StoreFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public async Task Export_and_import_is_a_round_trip()
    {
        for (var i = 0; i < 2000; i++)
            _fixture.Put(StoreFixture.Pin(i, $"name {i} <&>", StoreFixture.Peer(i % 3)));
        var before = await ExportAsync(_fixture);

        using var other = new StoreFixture(new PinStoreOptions { ReplacementBatchBytes = 10_000 });
        var count = await StateImport.RunAsync(other.Store, new Dribble(before), new StateImportOptions(), CancellationToken.None);

        Assert.Equal(2000UL, count);
        Assert.Equal(Encoding.UTF8.GetString(before), Encoding.UTF8.GetString(await ExportAsync(other)));
    }

    [Fact]
    public async Task An_export_during_writes_is_the_state_of_one_moment()
    {
        // Pins come and go in pairs, in one transaction each: a moment has both of a pair or none.
        using var stop = new CancellationTokenSource();
        var rounds = 0;
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var writing = Task.Factory.StartNew(Write, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await begun.Task.WaitAsync(TimeSpan.FromSeconds(60));
        for (var i = 0; i < 30; i++)
        {
            using var read = new StoreFixture();
            await StateImport.RunAsync(read.Store, new MemoryStream(await ExportAsync(_fixture)), new StateImportOptions(), CancellationToken.None);
            for (var number = 0; number < 500; number++)
            {
                var (one, other) = (read.Store.Find(StoreFixture.Cid(number)), read.Store.Find(StoreFixture.Cid(1000 + number)));
                Assert.Equal(one?.Options.Name, other?.Options.Name);
            }
        }

        // Pins have gone again by then, too.
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref rounds) > 500 || writing.IsCompleted, TimeSpan.FromSeconds(60)));
        await stop.CancelAsync();
        await writing;

        void Write()
        {
            for (var i = 0; !stop.IsCancellationRequested; i = (i + 1) % 500, Interlocked.Increment(ref rounds))
            {
                using var transaction = _fixture.Store.Begin();
                foreach (var number in (int[])[i, 1000 + i])
                {
                    if (!transaction.Remove(StoreFixture.Cid(number)))
                        transaction.Put(StoreFixture.Pin(number, $"round {rounds}"));
                }

                transaction.Commit(Cluster.Storage.Durability.Buffered);
                begun.TrySetResult();
            }
        }
    }

    [Fact]
    public async Task Overrides_apply_to_every_pin()
    {
        var options = new StateImportOptions { ReplicationMinimum = 2, ReplicationMaximum = 3, Allocations = [StoreFixture.Peer(4)] };
        var input = Encoding.UTF8.GetBytes($"{{\"cid\":\"{StoreFixture.Cid(1)}\"}}\n\n  {{\"cid\":\"{StoreFixture.Cid(2)}\",\n\"name\":\"}}\\\"{{\"}}");
        await StateImport.RunAsync(_fixture.Store, new MemoryStream(input), options, CancellationToken.None);

        Assert.All(_fixture.List(), pin =>
        {
            Assert.Equal(2, pin.Options.Replication.Minimum);
            Assert.Equal(3, pin.Options.Replication.Maximum);
            Assert.Equal([StoreFixture.Peer(4)], pin.Allocations!);
        });
        Assert.Equal("}\"{", _fixture.List()[1].Options.Name);
    }

    [Fact]
    public async Task An_entry_that_never_ends_is_refused()
    {
        var input = new MemoryStream(Encoding.UTF8.GetBytes("{\"name\":\"" + new string('x', 200_000)));
        var error = await Assert.ThrowsAsync<FormatException>(
            () => StateImport.RunAsync(_fixture.Store, input, new StateImportOptions { MaxEntryBytes = 100_000 }, CancellationToken.None));
        Assert.Contains("100000", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Damaged_input_is_a_format_error_and_leaves_the_pinset_as_it_was()
    {
        _fixture.Put(StoreFixture.Pin(1, "before"));
        for (var i = 10; i < 14; i++)
            _fixture.Put(StoreFixture.Pin(i, "näme \"{[", StoreFixture.Peer(i)));
        var good = await ExportAsync(_fixture);
        var random = new Random(11);
        for (var i = 0; i < 60; i++)
        {
            using var target = new StoreFixture();
            target.Put(StoreFixture.Pin(1, "before"));
            var bytes = good[..random.Next(good.Length + 1)];
            for (var j = random.Next(5); j > 0 && bytes.Length > 0; j--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            try
            {
                await StateImport.RunAsync(target.Store, new Dribble(bytes), new StateImportOptions(), CancellationToken.None);
            }
            catch (FormatException)
            {
                Assert.Equal("before", Assert.Single(target.List()).Options.Name);
            }
        }
    }

    internal static async Task<byte[]> ExportAsync(StoreFixture fixture)
    {
        using var output = new MemoryStream();
        await StateExport.RunAsync(fixture.Store, output, CancellationToken.None);
        return output.ToArray();
    }

    /// <summary>Gives its bytes in small pieces of changing size.</summary>
    private sealed class Dribble(byte[] bytes) : MemoryStream(bytes)
    {
        private int _calls;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, 1 + (_calls++ * 7919 % 4093))], cancellationToken);
    }
}

/// <summary>What <c>state import</c> of v1.1.6 made of inputs (golden/bytes/state/import-crdt.json).</summary>
[Trait("Category", "Golden")]
public sealed class GoldenImportTests
{
    [Fact]
    public async Task Every_recorded_import_gives_the_recorded_export_or_error()
    {
        using var cases = JsonDocument.Parse(File.ReadAllBytes(Golden.Path("bytes", "state", "import-crdt.json")));
        var failures = new List<string>();
        foreach (var item in cases.RootElement.EnumerateArray())
        {
            if (!item.TryGetProperty("arguments", out var arguments) || !item.TryGetProperty("export", out var export))
                continue;
            var words = arguments.EnumerateArray().Select(a => a.GetString()!).ToArray();
            if (words is not ["state", "import", "--force" or "-f", .. var flags] || Input(item) is not { } input)
                continue;
            var name = item.GetProperty("name").GetString();
            try
            {
                await CheckAsync(item, input, flags, [.. export.EnumerateArray().Select(e => e.GetString()!)]);
            }
            catch (Exception e)
            {
                failures.Add($"{name}: {e.Message}");
            }
        }

        Assert.True(failures.Count == 0, string.Join("\n\n", failures));
    }

    private static async Task CheckAsync(JsonElement item, byte[] input, string[] flags, string[] export)
    {
        using var fixture = new StoreFixture();
        fixture.Put(StoreFixture.Pin(1, "before"));
        var stderr = item.GetProperty("stderr").GetString()!;
        if (item.GetProperty("exit").GetInt32() != 0)
        {
            var expected = stderr.TrimEnd('\n').Split('\n')[^1]["error importing state: ".Length..];
            var error = await Assert.ThrowsAsync<FormatException>(
                () => StateImport.RunAsync(fixture.Store, new MemoryStream(input), Options(flags), CancellationToken.None));
            Assert.Equal(expected, error.Message);
            Assert.Equal("before", Assert.Single(fixture.List()).Options.Name);
            return;
        }

        await StateImport.RunAsync(fixture.Store, new MemoryStream(input), Options(flags), CancellationToken.None);
        var lines = Encoding.UTF8.GetString(await TransferTests.ExportAsync(fixture)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(export.Order(StringComparer.Ordinal), lines.Order(StringComparer.Ordinal));
    }

    private static StateImportOptions Options(string[] flags)
    {
        var options = new StateImportOptions();
        for (var i = 0; i + 1 < flags.Length; i += 2)
        {
            options = flags[i] switch
            {
                "--rmin" or "--replication-min" => options with { ReplicationMinimum = int.Parse(flags[i + 1]) },
                "--rmax" or "--replication-max" => options with { ReplicationMaximum = int.Parse(flags[i + 1]) },
                "--allocs" or "--allocations" => options with
                {
                    Allocations = [.. flags[i + 1].Split(',').Where(t => Libp2p.PeerId.TryParse(t, out _, out _)).Select(Libp2p.PeerId.Parse)],
                },
                _ => throw new InvalidOperationException($"unknown flag {flags[i]}"),
            };
        }

        return options;
    }

    private static byte[]? Input(JsonElement item) =>
        item.TryGetProperty("stdin", out var text) ? Encoding.UTF8.GetBytes(text.GetString()!)
        : item.TryGetProperty("stdin_hex", out var hex) ? Convert.FromHexString(hex.GetString()!) : null;
}

internal static class Golden
{
    public static string Path(params string[] parts) => System.IO.Path.Combine([Root(), .. parts]);

    private static string Root()
    {
        if (Environment.GetEnvironmentVariable("GOLDEN") is { Length: > 0 } folder)
            return folder;
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(at.FullName, "Cluster.Micro.sln")))
                return System.IO.Path.Combine(at.FullName, "tests", "golden");
        }

        throw new DirectoryNotFoundException("no folder with Cluster.Micro.sln above the tests");
    }
}
