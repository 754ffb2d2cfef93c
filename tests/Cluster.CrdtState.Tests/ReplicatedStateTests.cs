using Cluster.PinState.Transfer;
using Crdt;

namespace Cluster.CrdtState.Tests;

public sealed class ReplicatedStateTests : IDisposable
{
    private readonly StateFolder _state = new();

    public void Dispose() => _state.Dispose();

    [Fact]
    public async Task An_import_makes_a_pinset_and_a_DAG_that_say_the_same()
    {
        var pins = Enumerable.Range(0, 20_000).Select(i => StateFolder.Pin(i, new string('n', 80))).ToArray();

        Assert.Equal(20_000UL, await ImportAsync(StateFolder.Lines(pins)));

        Assert.Equal(20_000UL, _state.Store.Totals.Count);
        Assert.Equal(await _state.ExportAsync(), _state.ExportOfTheSet());
        var (head, height) = Assert.Single(_state.Heads);
        Assert.InRange(height, 2UL, 20UL); // several nodes, since they are more than a delta holds
        for (var reader = new CrdtReader(_state.Store); ;)
        {
            Assert.True(MerkleCrdt.TryGetBlock(reader, head, out var bytes));
            var node = DagNode.Parse(bytes);
            Assert.InRange(node.Delta.Size, 1, Delta.MaxSize);
            if (node.Links.Count == 0)
                break;
            head = Assert.Single(node.Links);
        }
    }

    [Fact]
    public async Task The_last_of_equal_CIDs_stays_and_an_import_replaces_all()
    {
        await ImportAsync(StateFolder.Lines(StateFolder.Pin(1), StateFolder.Pin(2)));
        Assert.Equal(1UL, await ImportAsync(StateFolder.Lines(StateFolder.Pin(3, "first"), StateFolder.Pin(3, "last"))));
        Assert.Equal("last", _state.Store.Find(StateFolder.Pin(3).Cid)!.Options.Name);
        Assert.Equal(await _state.ExportAsync(), _state.ExportOfTheSet());
    }

    [Fact]
    public async Task Export_cleanup_and_import_give_the_same_pinset()
    {
        await ImportAsync(StateFolder.Lines([.. Enumerable.Range(0, 100).Select(i => StateFolder.Pin(i, $"pin {i}"))]));
        var before = await _state.ExportAsync();

        ReplicatedState.Clean(_state.Store);
        Assert.Equal("", await _state.ExportAsync());
        Assert.Empty(_state.Heads);

        await ImportAsync(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(before)));
        Assert.Equal(before, await _state.ExportAsync());
    }

    [Fact]
    public async Task A_bad_entry_at_the_end_changes_nothing()
    {
        await ImportAsync(StateFolder.Lines(StateFolder.Pin(1)));
        var (before, heads) = (await _state.ExportAsync(), _state.Heads);

        var many = StateFolder.Lines([.. Enumerable.Range(0, 10_000).Select(i => StateFolder.Pin(i, new string('x', 300)))]);
        var bad = new MemoryStream();
        await many.CopyToAsync(bad);
        bad.Write("{\"cid\":\"nonsense\"}"u8);
        bad.Position = 0;
        await Assert.ThrowsAsync<FormatException>(() => ImportAsync(bad));

        Assert.Equal(before, await _state.ExportAsync());
        Assert.Equal(heads, _state.Heads);
    }

    [Fact]
    public async Task A_crash_in_the_middle_of_an_import_leaves_the_old_state_and_a_later_import_works()
    {
        await ImportAsync(StateFolder.Lines(StateFolder.Pin(1)));
        var (before, heads) = (await _state.ExportAsync(), _state.Heads);

        var replacement = new CrdtReplacement(_state.Store);
        for (var i = 0; i < 10_000; i++)
            replacement.Add(StateFolder.Pin(i, new string('x', 300)));
        Assert.True(replacement.Count > 0);
        _state.Crash();

        Assert.Equal(before, await _state.ExportAsync());
        Assert.Equal(heads, _state.Heads);
        Assert.Equal(1UL, await ImportAsync(StateFolder.Lines(StateFolder.Pin(7))));
        Assert.Equal(await _state.ExportAsync(), _state.ExportOfTheSet());
    }

    [Fact]
    public async Task After_an_import_a_crash_loses_nothing()
    {
        await ImportAsync(StateFolder.Lines([.. Enumerable.Range(0, 5000).Select(i => StateFolder.Pin(i, new string('x', 300)))]));
        var (before, heads) = (await _state.ExportAsync(), _state.Heads);
        _state.Crash();
        Assert.Equal(before, await _state.ExportAsync());
        Assert.Equal(heads, _state.Heads);
    }

    private Task<ulong> ImportAsync(Stream input) =>
        ReplicatedState.ImportAsync(_state.Store, input, new StateImportOptions(), CancellationToken.None);
}
