using Cluster.Contracts.V1;
using Cluster.Tracker.Core;
using Cluster.Tracker.Tests.Core;
using Ipld;
using Microsoft.Extensions.Logging;

namespace Cluster.Tracker.Tests.Service;

/// <summary>What must not get lost between two things that happen at once.</summary>
public class LostWordTests
{
    private static Cid C(int number) => Bench.CidOf(number);

    [Fact]
    public async Task Who_joins_a_question_that_is_given_up_gets_the_answer_of_the_index()
    {
        var time = new Cluster.Tests.ManualTime();
        await using var house = new House { Time = time };
        await house.StartAsync();
        house.State.Put(FakeState.PinOf(C(1)));
        await house.UntilAsync(C(1), TrackerStatus.Pinned);
        house.Connector.Silent[C(1)] = true;
        var asked = house.Connector.Questions;
        var first = house.StatusAsync(C(1));
        await House.UntilAsync(() => house.Connector.Questions == asked + 1);

        // The first has the index' answer after five seconds; its question goes on for ten.
        await House.UntilAsync(() => time.TimersIn(TimeSpan.FromSeconds(5)) == 1);
        time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(TrackerStatus.Pinned, (await first).Status);
        var second = house.StatusAsync(C(1));
        await House.UntilAsync(() => time.TimersIn(TimeSpan.FromSeconds(5)) == 1);
        time.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal(TrackerStatus.Pinned, (await second).Status);
        Assert.Equal(asked + 1, house.Connector.Questions);
    }

    [Fact]
    public async Task Items_that_a_snapshot_leaves_to_be_looked_for_while_a_comparison_ends_are_looked_for_at_once()
    {
        using var compared = new Gate("compared ");
        await using var house = new House(new TrackerSettings { QueuedPerSnapshot = 0 }) { Logger = compared };
        house.State.Put(FakeState.PinOf(C(1)));
        await house.StartAsync();
        await compared.Reached;

        // The first comparison has seen everything and is about to say so.
        await house.StopConsensusAsync();
        house.State.Put(FakeState.PinOf(C(2)));
        house.State.Forget(newEpoch: false);
        await house.StartConsensusAsync();
        house.State.Put(FakeState.PinOf(C(3)));
        await house.StatusAsync(C(3), house.State.Sequence);
        Assert.Equal(PinState.UnexpectedlyUnpinned, house.Tracker.View(C(2)).State);

        compared.Open();
        await House.UntilAsync(() => house.Tracker.View(C(2)).State == PinState.Pinned);
        Assert.Equal(DaemonPin.Recursive, house.Connector.Pins[C(2)]);
    }

    [Theory]
    [InlineData(1_763_750_000_000)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public async Task A_pin_from_beyond_the_calendar_is_pinned_like_any_other(long seconds)
    {
        await using var house = await House.OpenAsync();
        var odd = FakeState.PinOf(C(1));
        odd.Timestamp = new Time { Seconds = seconds };
        house.State.Put(odd, FakeState.PinOf(C(2)));
        await house.UntilAsync(C(2), TrackerStatus.Pinned);
        Assert.Equal(seconds, (await house.UntilAsync(C(1), TrackerStatus.Pinned)).Created.Seconds);
        await house.StopTrackerAsync();
        await house.StartTrackerAsync();
        house.State.Remove(C(1));
        await house.UntilAsync(C(1), TrackerStatus.Unpinned);
    }

    /// <summary>Holds who logs a line that begins so, the first time.</summary>
    private sealed class Gate(string text) : ILogger, IDisposable
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ManualResetEventSlim _open = new();

        public Task Reached => _reached.Task.WaitAsync(House.Patience);

        public void Open() => _open.Set();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (formatter(state, exception).StartsWith(text, StringComparison.Ordinal) && _reached.TrySetResult())
                Assert.True(_open.Wait(House.Patience));
        }

        public void Dispose() => _open.Dispose();
    }
}
