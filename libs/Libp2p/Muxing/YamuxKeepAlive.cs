namespace Libp2p.Muxing;

/// <summary>
/// Pings: at the start and every 30 s for the round trip, after 30 s of silence for a sign of life. Only the latter ends a session,
/// and any frame postpones it (golden/libp2p/yamux.json, idle). Also watches over writes that do not get through.
/// </summary>
internal sealed class YamuxKeepAlive(YamuxSession session)
{
    private static readonly TimeSpan LongestSleep = TimeSpan.FromSeconds(5);

    private readonly Lock gate = new();
    private readonly YamuxOptions options = session.Options;
    private readonly TimeProvider time = session.Time;
    private ITimer? timer;
    private long lastFrame;
    private long lastMeasured;
    private long pingSent;
    private long alarmSince;
    private uint nextPing;
    private uint? pending;
    private bool stopped;
    private long roundTripTicks;

    public TimeSpan RoundTrip => new(Volatile.Read(ref roundTripTicks));

    public void Start()
    {
        lock (gate)
        {
            lastFrame = lastMeasured = time.GetTimestamp();
            Ping();
            timer = time.CreateTimer(static state => ((YamuxKeepAlive)state!).Tick(), this, Next(), Timeout.InfiniteTimeSpan);
        }
    }

    public void Stop()
    {
        lock (gate)
        {
            stopped = true;
            timer?.Dispose();
        }
    }

    public void OnFrame()
    {
        Volatile.Write(ref lastFrame, time.GetTimestamp());
        Volatile.Write(ref alarmSince, 0);
    }

    public void OnPong(uint value)
    {
        lock (gate)
        {
            // An answer nobody asked for is ignored, as in Go.
            if (pending != value) return;
            pending = null;
            // Measuring gets its rhythm from the end of the first ping, as in the original.
            if (value == 0) lastMeasured = time.GetTimestamp();
            var sample = time.GetElapsedTime(pingSent);
            // Smoothed like TCP does; a first sample stands for itself. Never zero, which means unknown.
            long old = roundTripTicks;
            Volatile.Write(ref roundTripTicks, Math.Max(1, old == 0 ? sample.Ticks : old / 2 + sample.Ticks / 2));
        }
    }

    private void Ping()
    {
        if (pending is not null) return;
        pending = nextPing++;
        pingSent = time.GetTimestamp();
        session.Output.Append(new YamuxHeader(YamuxType.Ping, YamuxFlags.Syn, 0, pending.Value));
    }

    private void Tick()
    {
        string? fault = null;
        lock (gate)
        {
            if (stopped) return;
            if (pending is not null && time.GetElapsedTime(pingSent) >= options.ResponseTimeout)
            {
                if (pending == 0) lastMeasured = time.GetTimestamp();
                pending = null;
            }
            if (session.Output.Blocked >= options.ResponseTimeout)
                fault = $"The peer took no data for {options.ResponseTimeout.TotalSeconds:0} s.";
            else if (alarmSince != 0 && time.GetElapsedTime(alarmSince) >= options.ResponseTimeout)
                fault = "The peer gave no sign of life (keep-alive timeout).";
            if (time.GetElapsedTime(lastMeasured) >= options.RoundTripInterval)
            {
                lastMeasured = time.GetTimestamp();
                Ping();
            }
            if (alarmSince == 0 && time.GetElapsedTime(Volatile.Read(ref lastFrame)) >= options.KeepAliveInterval)
            {
                Volatile.Write(ref alarmSince, Math.Max(1, time.GetTimestamp()));
                Ping();
            }
            if (fault is null) timer!.Change(Next(), Timeout.InfiniteTimeSpan);
        }
        if (fault is not null) session.End(new ConnectionClosedException(fault));
    }

    private TimeSpan Next()
    {
        var next = options.RoundTripInterval - time.GetElapsedTime(lastMeasured);
        var silence = alarmSince != 0
            ? options.ResponseTimeout - time.GetElapsedTime(alarmSince)
            : options.KeepAliveInterval - time.GetElapsedTime(Volatile.Read(ref lastFrame));
        if (silence < next) next = silence;
        if (next > LongestSleep) next = LongestSleep;
        return next < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : next;
    }
}
