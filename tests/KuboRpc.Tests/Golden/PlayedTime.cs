using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using FakeDaemon;

namespace KuboRpc.Tests.Golden;

/// <summary>
/// One clock for a client and the daemon that it asks. Time goes on in the daemon's pauses alone, and not before the client has taken in
/// what was sent before: a limit ends what it ended in the record, and nothing else, however slow the machine is.
/// </summary>
internal sealed partial class PlayedTime : TimeProvider
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private readonly Lock _advancing = new();
    private readonly List<Timer> _timers = [];
    private long _now;
    private int _settings;

    /// <summary>The gate of the client, which notes that an answer has come as soon as its headers are there.</summary>
    public DaemonGate Gate { get; set; } = new(System);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Volatile.Read(ref _now);

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddTicks(GetTimestamp());

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, () => callback(state));
        lock (_lock)
            _timers.Add(timer);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Goes on, and fires what is due on the way in the order of its due times.</summary>
    public void Advance(TimeSpan time)
    {
        lock (_advancing)
        {
            var end = _now + time.Ticks;
            while (Next(end) is { } timer)
                FireNext(timer);
            Volatile.Write(ref _now, end);
        }
    }

    /// <summary>The steps of an answer, with this clock's time in their pauses. Whoever waits for ever lets the next limit be reached.</summary>
    /// <param name="steps">What the daemon does.</param>
    /// <param name="request">What it was asked.</param>
    public IEnumerable<Step> Play(IEnumerable<Step> steps, ReceivedRequest request)
    {
        List<Step> all = [.. steps];
        if (!all.Any(step => step is Step.Pause or Step.Hang))
            return all;
        var reading = new Reading(this, countsProgress: request.Command.StartsWith("pin/add", StringComparison.Ordinal));
        return all.SelectMany(reading.Timed);
    }

    private Timer? Next(long end)
    {
        lock (_lock)
            return _timers.Where(timer => timer.Due <= end).MinBy(timer => timer.Due);
    }

    private void FireNext(Timer timer)
    {
        Volatile.Write(ref _now, Math.Max(_now, timer.Due));
        timer.Fire();
    }

    private void AdvanceToNext()
    {
        lock (_advancing)
        {
            if (Next(long.MaxValue - 1) is { } timer)
                FireNext(timer);
        }
    }

    [GeneratedRegex("\"Progress\":\\s*(\\d+)")]
    private static partial Regex Progress();

    /// <summary>What of an answer has been sent, and whether the client knows it.</summary>
    private sealed class Reading(PlayedTime time, bool countsProgress)
    {
        private bool _begun;
        private long _best;
        private int? _due;

        public IEnumerable<Step> Timed(Step step) => step switch
        {
            Step.Send send => [new Step.Do(_ => Task.FromResult(Note(send))), send],
            Step.Pause pause => [new Step.Do(token => PassAsync(() => time.Advance(pause.Time), token))],
            Step.Hang => [new Step.Do(token => PassAsync(time.AdvanceToNext, token)), step],
            _ => [step],
        };

        private bool Note(Step.Send send)
        {
            if (!_begun)
                time.Gate.Failed("no answer has come yet");
            _begun = true;
            foreach (Match match in Progress().Matches(countsProgress ? Encoding.UTF8.GetString(send.Bytes.Span) : ""))
            {
                if (long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) is var nodes && nodes <= _best)
                    continue;
                _best = nodes;
                // Progress sets the limit anew.
                _due = (_due ?? Volatile.Read(ref time._settings)) + 1;
            }
            return true;
        }

        private async Task PassAsync(Action pass, CancellationToken token)
        {
            for (var waited = Stopwatch.StartNew(); (_begun && time.Gate.Failures > 0) || Volatile.Read(ref time._settings) < (_due ?? 0); await Task.Delay(Poll, token))
            {
                // Breaks the connection, which the test then tells of.
                if (waited.Elapsed > Patience)
                    throw new IOException("the client does not take in what it is sent");
            }
            _due = null;
            pass();
        }
    }

    private sealed class Timer(PlayedTime time, Action callback) : ITimer
    {
        private long _due = long.MaxValue;

        public long Due => Volatile.Read(ref _due);

        public void Fire()
        {
            Volatile.Write(ref _due, long.MaxValue);
            callback();
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Volatile.Write(ref _due, dueTime < TimeSpan.Zero ? long.MaxValue : time.GetTimestamp() + dueTime.Ticks);
            Interlocked.Increment(ref time._settings);
            return true;
        }

        public void Dispose()
        {
            lock (time._lock)
                time._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
