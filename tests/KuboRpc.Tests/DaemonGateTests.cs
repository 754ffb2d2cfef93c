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
            await _gate.PassAsync(default);
    }

    [Fact]
    public void After_eleven_failures_the_gate_opens_once_a_second()
    {
        Fail(11);
        var waiting = Enumerable.Range(0, 3).Select(_ => _gate.PassAsync(default).AsTask()).ToList();
        Assert.All(waiting, wait => Assert.False(wait.IsCompleted));
        for (var second = 1; second <= 3; second++)
        {
            _time.Advance(DaemonGate.Interval);
            Assert.True(SpinWait.SpinUntil(() => waiting.Count(wait => wait.IsCompleted) == second, TimeSpan.FromSeconds(10)));
        }
    }

    [Fact]
    public async Task An_answer_lets_all_who_wait_pass_at_once()
    {
        Fail(11);
        var waiting = Enumerable.Range(0, 50).Select(_ => _gate.PassAsync(default).AsTask()).ToList();
        _gate.Answered();
        await Task.WhenAll(waiting).WaitAsync(TimeSpan.FromSeconds(10));
        await _gate.PassAsync(default);
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
            _gate.Failed();
    }
}
