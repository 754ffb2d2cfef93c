using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text;

namespace Cluster.Hosting.Telemetry;

/// <summary>
/// Keeps the values of the instruments of this process whose name begins with <c>ipfscluster_</c> or <c>libp2p_</c>, and prints
/// them for Prometheus together with the figures of the process. An instrument's name is the metric's name.
/// </summary>
public sealed class MetricsCollector : IDisposable
{
    private readonly MeterListener listener = new();
    private readonly ConcurrentDictionary<Instrument, Family> families = new();
    private readonly ServiceName service;
    private readonly Lock printing = new();

    /// <summary>Collects from now on.</summary>
    public MetricsCollector(ServiceName service)
    {
        ArgumentNullException.ThrowIfNull(service);
        this.service = service;
        listener.InstrumentPublished = Published;
        listener.SetMeasurementEventCallback<byte>(static (i, v, tags, state) => ((Family)state!).Record(v, tags));
        listener.SetMeasurementEventCallback<short>(static (i, v, tags, state) => ((Family)state!).Record(v, tags));
        listener.SetMeasurementEventCallback<int>(static (i, v, tags, state) => ((Family)state!).Record(v, tags));
        listener.SetMeasurementEventCallback<long>(static (i, v, tags, state) => ((Family)state!).Record(v, tags));
        listener.SetMeasurementEventCallback<float>(static (i, v, tags, state) => ((Family)state!).Record(v, tags));
        listener.SetMeasurementEventCallback<double>(static (i, v, tags, state) => ((Family)state!).Record(v, tags));
        listener.SetMeasurementEventCallback<decimal>(static (i, v, tags, state) => ((Family)state!).Record((double)v, tags));
        listener.Start();
    }

    /// <summary>The page of this process.</summary>
    public string Print()
    {
        var output = new StringBuilder();
        lock (printing)
        {
            listener.RecordObservableInstruments();
            foreach (var family in families.Values.OrderBy(static f => f.Name, StringComparer.Ordinal))
                family.Print(output);
        }

        ProcessFigures.Print(output, service);
        return output.ToString();
    }

    /// <inheritdoc/>
    public void Dispose() => listener.Dispose();

    private void Published(Instrument instrument, MeterListener self)
    {
        if (instrument.Name.StartsWith("ipfscluster_", StringComparison.Ordinal) || instrument.Name.StartsWith("libp2p_", StringComparison.Ordinal))
            self.EnableMeasurementEvents(instrument, families.GetOrAdd(instrument, static i => new Family(i)));
    }

    /// <summary>One metric with all its label sets.</summary>
    private sealed class Family
    {
        /// <summary>More label sets than any metric here has; a fault must not eat the memory.</summary>
        private const int MaximumSeries = 1000;

        /// <summary>Milliseconds, for histograms that give no bounds of their own.</summary>
        private static readonly double[] defaultBounds =
            [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000];

        private readonly ConcurrentDictionary<string, Series> series = new(StringComparer.Ordinal);
        private readonly Kind kind;
        private readonly string help;
        private readonly double[] bounds = [];

        public Family(Instrument instrument)
        {
            Name = PrometheusText.Name(instrument.Name);
            help = instrument.Description ?? "";
            var type = instrument.GetType().Name.Split('`')[0];
            kind = type switch
            {
                "Counter" => Kind.Sum,
                "ObservableCounter" => Kind.Total,
                "UpDownCounter" => Kind.UpDown,
                "Histogram" => Kind.Histogram,
                _ => Kind.Gauge,
            };
            if (kind == Kind.Histogram)
                bounds = Bounds(instrument);
            // A metric without labels shows from the start, at zero.
            if (kind is Kind.Sum or Kind.UpDown && instrument.Tags is null)
                Find(default);
        }

        private enum Kind
        {
            Sum,
            Total,
            UpDown,
            Gauge,
            Histogram,
        }

        public string Name { get; }

        public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (Find(tags) is not { } target)
                return;
            lock (target)
            {
                switch (kind)
                {
                    case Kind.Sum or Kind.UpDown:
                        target.Value += value;
                        break;
                    case Kind.Histogram:
                        target.Value += value;
                        target.Count++;
                        var bucket = Array.BinarySearch(bounds, value);
                        target.Buckets![bucket >= 0 ? bucket : ~bucket]++;
                        break;
                    default:
                        target.Value = value;
                        break;
                }
            }
        }

        public void Print(StringBuilder output)
        {
            if (series.IsEmpty)
                return;
            PrometheusText.WriteHeader(output, Name, kind switch { Kind.Sum or Kind.Total => "counter", Kind.Histogram => "histogram", _ => "gauge" }, help);
            foreach (var (labels, values) in series.OrderBy(static s => s.Key, StringComparer.Ordinal))
            {
                lock (values)
                {
                    if (kind != Kind.Histogram)
                    {
                        PrometheusText.WriteSample(output, Name, labels, values.Value);
                        continue;
                    }

                    long sum = 0;
                    for (var i = 0; i <= bounds.Length; i++)
                    {
                        sum += values.Buckets![i];
                        var bound = i < bounds.Length ? PrometheusText.Number(bounds[i]) : "+Inf";
                        PrometheusText.WriteSample(output, Name + "_bucket", $"{labels}{(labels.Length > 0 ? "," : "")}le=\"{bound}\"", sum);
                    }

                    PrometheusText.WriteSample(output, Name + "_sum", labels, values.Value);
                    PrometheusText.WriteSample(output, Name + "_count", labels, values.Count);
                }
            }
        }

        private static double[] Bounds(Instrument instrument)
        {
            IReadOnlyList<double>? advised = instrument switch
            {
                Histogram<long> h => h.Advice?.HistogramBucketBoundaries?.Select(static b => (double)b).ToArray(),
                Histogram<int> h => h.Advice?.HistogramBucketBoundaries?.Select(static b => (double)b).ToArray(),
                Histogram<double> h => h.Advice?.HistogramBucketBoundaries,
                _ => null,
            };
            return advised is { Count: > 0 } ? [.. advised] : defaultBounds;
        }

        private Series? Find(ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var key = "";
            if (tags.Length > 0)
            {
                var labels = new KeyValuePair<string, string>[tags.Length];
                for (var i = 0; i < tags.Length; i++)
                    labels[i] = KeyValuePair.Create(tags[i].Key, Convert.ToString(tags[i].Value, System.Globalization.CultureInfo.InvariantCulture) ?? "");
                key = PrometheusText.Labels(labels);
            }

            if (series.TryGetValue(key, out var found))
                return found;
            return series.Count >= MaximumSeries ? null : series.GetOrAdd(key, _ => new Series { Buckets = kind == Kind.Histogram ? new long[bounds.Length + 1] : null });
        }

        private sealed class Series
        {
            public double Value { get; set; }

            public long Count { get; set; }

            public long[]? Buckets { get; init; }
        }
    }
}
