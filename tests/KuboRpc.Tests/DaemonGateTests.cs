using System.Diagnostics;
using Cluster.Tests;
using Xunit;

namespace KuboRpc.Tests;

public sealed class DaemonGateTests
{
    private readonly ManualTime _time = new();
    private readonly DaemonGate _gate;

    public DaemonGateTests() => _gate = new DaemonGate(_time);

    [Fact]
    public async Task Ten_failures_do_not_close_the_gate()
    {
        Fail(10);
        for (var i = 0; i < 100; i++)
            Assert.True(await _gate.PassAsync(default));
    }

    [Fact]
    public async Task After_eleven_failures_one_request_a_second_passes_and_the_others_are_refused()
    {
        Fail(11);
        for (var second = 1; second <= 3; second++)
        {
            var waiting = Enumerable.Range(0, 5).Select(_ => _gate.PassAsync(default).AsTask()).ToList();
            Assert.All(waiting, wait => Assert.False(wait.IsCompleted));
            _time.Advance(DaemonGate.Interval);
            Assert.True(await (await Task.WhenAny(waiting).WaitAsync(TimeSpan.FromSeconds(60))));
            var all = Task.WhenAll(waiting);
            for (var limit = Stopwatch.StartNew(); !all.IsCompleted && limit.Elapsed < TimeSpan.FromSeconds(60); await Task.Yield())
                Fail(1);
            Assert.Single(await all.WaitAsync(TimeSpan.FromSeconds(60)), passed => passed);
        }
        Assert.Equal("connection refused", _gate.LastFailure);
    }

    [Fact]
    public async Task An_answer_to_the_one_request_lets_the_others_go_on()
    {
        Fail(11);
        var waiting = Enumerable.Range(0, 5).Select(_ => _gate.PassAsync(default).AsTask()).ToList();
        _time.Advance(DaemonGate.Interval);
        Assert.True(await (await Task.WhenAny(waiting).WaitAsync(TimeSpan.FromSeconds(60))));
        _gate.Answered();
        Assert.All(await Task.WhenAll(waiting).WaitAsync(TimeSpan.FromSeconds(60)), Assert.True);
    }

    [Fact]
    public async Task An_answer_lets_all_who_wait_pass_at_once()
    {
        Fail(11);
        var waiting = Enumerable.Range(0, 50).Select(_ => _gate.PassAsync(default).AsTask()).ToList();
        _gate.Answered();
        Assert.All(await Task.WhenAll(waiting).WaitAsync(TimeSpan.FromSeconds(60)), Assert.True);
        Assert.True(await _gate.PassAsync(default));
    }

    [Fact]
    public async Task Who_is_woken_a_little_before_the_opening_waits_for_it()
    {
        Fail(11);
        // Timers count whole milliseconds, and what is left of this second is none.
        _time.Advance(TimeSpan.FromMicroseconds(400));
        var waiting = _gate.PassAsync(default).AsTask();
        _time.Advance(TimeSpan.FromMilliseconds(999));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(await waiting.WaitAsync(TimeSpan.FromSeconds(60)));
    }

    [Fact]
    public void The_limit_is_told_when_it_begins_and_when_it_is_lifted()
    {
        var told = new List<bool>();
        _gate.LimitChanged += told.Add;
        Fail(30);
        _gate.Answered();
        _gate.Answered();
        Fail(5);
        _gate.Answered();
        Assert.Equal([true, false], told);
    }

    [Fact]
    public async Task Who_waits_can_be_cancelled()
    {
        Fail(11);
        using var cancel = new CancellationTokenSource();
        var waiting = _gate.PassAsync(cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    private void Fail(int times)
    {
        for (var i = 0; i < times; i++)
            _gate.Failed("connection refused");
    }
}
