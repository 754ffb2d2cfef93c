using System.Buffers;
using System.Threading.Channels;
using Cluster.Model;
using Cluster.PeerRpc.Msgpack;
using Cluster.PeerRpc.Values;
using Libp2p;
using Libp2p.Pubsub;
using Microsoft.Extensions.Logging;

namespace Cluster.Consensus.Peering;

/// <summary>
/// Metrics on their topic (spec/peer-rpc.md 5): own ones out, those of others in. When a peer comes to the topic, own metrics are sent
/// again at once, so that it need not wait for the next round to see this peer.
/// </summary>
public sealed class MetricGossip : IAsyncDisposable
{
    /// <summary>Batches that one reader may be behind; then the oldest go, as newer ones say the same.</summary>
    private const int ReaderBacklog = 256;

    private const int LargestBatch = 256;

    /// <summary>Metrics of others held for readers that come later; beyond that, only those of known names and peers are renewed.</summary>
    private const int MostHeld = 65_536;

    /// <summary>Peers that come together are answered together.</summary>
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(50);

    /// <summary>Between two answers to newcomers.</summary>
    private static readonly TimeSpan BetweenAnswers = TimeSpan.FromMilliseconds(500);

    private readonly ClusterNetwork _network;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Metric> _own = [];
    private readonly Dictionary<(string Name, PeerId Peer), Metric> _held = [];
    private readonly HashSet<ChannelWriter<IReadOnlyList<Metric>>> _readers = [];
    private readonly Channel<bool> _newcomers = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource _stopping = new();
    private PubsubSubscription? _subscription;
    private Task _running = Task.CompletedTask;

    /// <param name="network">Carries the gossip.</param>
    /// <param name="time">Judges what has expired.</param>
    /// <param name="loggers">Makes the logger of <c>monitor</c>.</param>
    public MetricGossip(ClusterNetwork network, TimeProvider time, ILoggerFactory loggers)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(loggers);
        _network = network;
        _time = time;
        _logger = loggers.CreateLogger("monitor");
    }

    private GoTime Now => GoTime.Now(_time);

    /// <summary>Joins the topic.</summary>
    public void Start()
    {
        _network.Gossip.PeerJoined += NoteNewcomer;
        _subscription = _network.Gossip.Subscribe(ClusterTopics.Metrics);
        _running = Task.WhenAll(ReceiveAsync(_subscription), AnswerNewcomersAsync());
    }

    /// <summary>Sends metrics of this peer to the others. Those that are invalid or have expired are refused, with a warning.</summary>
    public void Publish(IEnumerable<Metric> metrics)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        foreach (var metric in metrics)
        {
            if (metric.IsDiscarded(Now))
            {
                PeeringLog.MetricNotPublished(_logger, metric.Name);
                continue;
            }

            // Kept when it could be sent: what is too large for a message once is so every time.
            if (TrySend(metric) && metric.Peer == _network.Host.Id)
            {
                lock (_lock)
                    _own[metric.Name] = metric;
            }
        }
    }

    /// <summary>Sends again what still holds of this peer's metrics.</summary>
    public void Repeat()
    {
        Metric[] own;
        lock (_lock)
            own = [.. _own.Values.Where(m => !m.IsDiscarded(Now))];
        foreach (var metric in own)
            TrySend(metric);
    }

    /// <summary>
    /// Counts a peer that was reached as alive for a time, here alone, unless it has said so itself (spec/behaviour.md 2.1, 10.1).
    /// </summary>
    public void Presume(PeerId peer, TimeSpan life)
    {
        var now = Now;
        lock (_lock)
        {
            // Handed on within the lock, so that a ping of its own that comes at this moment is not replaced.
            if (!_held.TryGetValue(("ping", peer), out var known) || known.IsDiscarded(now))
                Hand([new Metric { Name = "ping", Peer = peer, Valid = true, Expire = now.Add(GoDuration.FromTimeSpan(life)).UnixNanoseconds }]);
        }
    }

    /// <summary>What holds of the others' metrics now, then each as it comes. A reader that is too slow misses the oldest.</summary>
    public MetricReader Read()
    {
        var channel = Channel.CreateBounded<IReadOnlyList<Metric>>(
            new BoundedChannelOptions(ReaderBacklog) { FullMode = BoundedChannelFullMode.DropOldest },
            dropped => PeeringLog.MetricsDropped(_logger, dropped.Count));
        lock (_lock)
        {
            var now = Now;
            foreach (var chunk in _held.Values.Where(m => !m.IsDiscarded(now)).Chunk(LargestBatch))
                channel.Writer.TryWrite(chunk);
            _readers.Add(channel.Writer);
            if (_stopping.IsCancellationRequested)
                channel.Writer.TryComplete();
        }

        return new MetricReader(channel.Reader, () =>
        {
            lock (_lock)
                _readers.Remove(channel.Writer);
        });
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_stopping.IsCancellationRequested)
            return;
        _network.Gossip.PeerJoined -= NoteNewcomer;
        await _stopping.CancelAsync();
        _subscription?.Dispose();
        await _running;
        lock (_lock)
        {
            foreach (var reader in _readers)
                reader.TryComplete();
        }
    }

    private void NoteNewcomer(string topic, PeerId peer)
    {
        if (topic == ClusterTopics.Metrics)
            _newcomers.Writer.TryWrite(true);
    }

    private bool TrySend(Metric metric)
    {
        var data = new ArrayBufferWriter<byte>(256);
        MetricCodec.Write(new MsgpackWriter(data), metric with { ReceivedAt = 0 });
        try
        {
            _network.Gossip.Publish(ClusterTopics.Metrics, data.WrittenMemory);
            return true;
        }
        catch (ArgumentException e)
        {
            PeeringLog.MetricTooLarge(_logger, metric.Name, e.Message);
            return false;
        }
    }

    private async Task AnswerNewcomersAsync()
    {
        try
        {
            while (await _newcomers.Reader.WaitToReadAsync(_stopping.Token))
            {
                await Task.Delay(Gathering, _time, _stopping.Token);
                while (_newcomers.Reader.TryRead(out _))
                {
                }

                Repeat();
                await Task.Delay(BetweenAnswers, _time, _stopping.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The peer stops.
        }
    }

    private async Task ReceiveAsync(PubsubSubscription subscription)
    {
        var batch = new List<Metric>();
        while (await subscription.Messages.WaitToReadAsync(CancellationToken.None))
        {
            while (batch.Count < LargestBatch && subscription.Messages.TryRead(out var message))
            {
                if (Decode(message) is { } metric)
                    batch.Add(metric);
            }

            if (batch.Count > 0)
                Hand([.. batch]);
            batch.Clear();
        }
    }

    private Metric? Decode(PubsubMessage message)
    {
        // Own messages come by here too: the monitor has their metrics already.
        var self = _network.Host.Id;
        if (message.From.Span.SequenceEqual(self.Bytes))
            return null;
        try
        {
            var metric = MetricCodec.ReadGossip(message.Data.Span);
            // Nobody else speaks for this peer; for others the original does not ask who signed (spec/behaviour.md 17.1).
            return metric.Peer == self || metric.IsDiscarded(Now) ? null : metric with { ReceivedAt = Now.UnixNanoseconds };
        }
        catch (MsgpackException e)
        {
            PeeringLog.MetricNotRead(_logger, e.Message);
            return null;
        }
    }

    private void Hand(IReadOnlyList<Metric> metrics)
    {
        lock (_lock)
        {
            foreach (var metric in metrics)
            {
                if (_held.Count >= MostHeld && !_held.ContainsKey((metric.Name, metric.Peer)))
                    ForgetExpired();
                if (_held.Count < MostHeld || _held.ContainsKey((metric.Name, metric.Peer)))
                    _held[(metric.Name, metric.Peer)] = metric;
            }

            foreach (var reader in _readers)
                reader.TryWrite(metrics);
        }
    }

    private void ForgetExpired()
    {
        var now = Now;
        foreach (var (key, metric) in _held)
        {
            // Removing while enumerating is permitted.
            if (metric.IsDiscarded(now))
                _held.Remove(key);
        }
    }
}

/// <summary>The metrics of others for one reader, until disposed.</summary>
public sealed class MetricReader(ChannelReader<IReadOnlyList<Metric>> batches, Action ended) : IDisposable
{
    /// <summary>In the order of their arrival; ends when the peer stops.</summary>
    public ChannelReader<IReadOnlyList<Metric>> Batches { get; } = batches;

    /// <inheritdoc/>
    public void Dispose() => ended();
}
