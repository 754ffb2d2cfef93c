using Libp2p;

namespace Cluster.Consensus.Peering;

/// <summary>Bytes carried by each protocol, and how fast: a running average over about a second, as the original reckons.</summary>
public sealed class BandwidthMeter : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>Below this a rate is noise of the average's tail.</summary>
    private const double Silence = 0.01;

    private readonly Func<IReadOnlyList<ProtocolTraffic>> _traffic;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Flow> _flows = [];
    private long _last;

    /// <param name="traffic">The totals of this moment.</param>
    /// <param name="time">Clock.</param>
    public BandwidthMeter(Func<IReadOnlyList<ProtocolTraffic>> traffic, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        _traffic = traffic;
        _time = time;
        _last = time.GetTimestamp();
        _timer = time.CreateTimer(_ => Measure(), null, Interval, Interval);
    }

    /// <summary>Totals and rates of this moment, of protocols that carried anything.</summary>
    public IReadOnlyList<ProtocolBandwidth> Current()
    {
        lock (_lock)
        {
            return
            [
                .. _traffic().Where(t => t.Protocol.Length > 0 && t.Received + t.Sent > 0).Select(t =>
                {
                    var flow = _flows.GetValueOrDefault(t.Protocol);
                    return new ProtocolBandwidth(t.Protocol, t.Received, t.Sent, flow?.In.Rate ?? 0, flow?.Out.Rate ?? 0);
                }),
            ];
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private void Measure()
    {
        lock (_lock)
        {
            var now = _time.GetTimestamp();
            var seconds = _time.GetElapsedTime(_last, now).TotalSeconds;
            if (seconds <= 0)
                return;
            _last = now;
            foreach (var traffic in _traffic())
            {
                if (!_flows.TryGetValue(traffic.Protocol, out var flow))
                    _flows.Add(traffic.Protocol, flow = new Flow());
                flow.In.Advance(traffic.Received, seconds);
                flow.Out.Advance(traffic.Sent, seconds);
            }
        }
    }

    private sealed class Flow
    {
        public Average In { get; } = new();

        public Average Out { get; } = new();
    }

    private sealed class Average
    {
        private long _total;

        public double Rate { get; private set; }

        public void Advance(long total, double seconds)
        {
            var rate = (total - _total) / seconds;
            _total = total;
            Rate += (1 - Math.Exp(-seconds)) * (rate - Rate);
            if (Rate < Silence)
                Rate = 0;
        }
    }
}

/// <summary>What one protocol carried.</summary>
/// <param name="Protocol">Its name.</param>
/// <param name="Received">Bytes since the start.</param>
/// <param name="Sent">Bytes since the start.</param>
/// <param name="ReceiveRate">Bytes per second.</param>
/// <param name="SendRate">Bytes per second.</param>
public readonly record struct ProtocolBandwidth(string Protocol, long Received, long Sent, double ReceiveRate, double SendRate);
