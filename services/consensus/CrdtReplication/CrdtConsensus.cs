using System.Collections.Concurrent;
using Cluster.Consensus.Lifecycle;
using Cluster.Consensus.Metrics;
using Cluster.Consensus.Replication;
using Cluster.CrdtState;
using Cluster.Model;
using Cluster.PinState;
using Cluster.PinState.Transfer;
using Libp2p;
using Libp2p.Bitswap;
using Microsoft.Extensions.Logging;

namespace Cluster.Consensus.CrdtReplication;

/// <summary>
/// Agreement by a merkle-CRDT (spec/crdt.md, spec/behaviour.md 12.1): each peer writes its own operations to its replica, durably,
/// before it answers, and announces them; what others announce is fetched and merged. Works without a network until
/// <see cref="Start"/>.
/// </summary>
public sealed class CrdtConsensus : IConsensus, ICrdtReplica
{
    /// <summary>Bytes of one pin in the set: more than two do not fit through any peer's bitswap (spec/crdt.md 5).</summary>
    private const int MaxPinBytes = 2 << 20;

    private readonly PeerId _self;
    private readonly CrdtSettings _settings;
    private readonly MetricSnapshot _metrics;
    private readonly TimeProvider _clock;
    private readonly Random _random;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<PeerId, bool> _trusted = new();
    private readonly CrdtReader _reader;
    private readonly CrdtInbox _inbox;
    private readonly CrdtWriter _writer;
    private readonly GroupCommit _commits;
    private readonly CancellationTokenSource _stop = new();
    private BlockFetcher? _fetcher;
    private Task _loops = Task.CompletedTask;
    private Task? _shutdown;
    private int _started;
    private int _dropping;

    /// <summary>Over a state that only this consensus writes.</summary>
    /// <param name="self">The peer.</param>
    /// <param name="state">The state. A pinset without a DAG in it is taken over into one.</param>
    /// <param name="settings">The configuration.</param>
    /// <param name="metrics">Tells the members.</param>
    /// <param name="clock">For intervals and timeouts.</param>
    /// <param name="random">Spreads the broadcasts.</param>
    /// <param name="logger">Facility <c>crdt</c>.</param>
    public CrdtConsensus(
        PeerId self, PinStore state, CrdtSettings settings, MetricSnapshot metrics, TimeProvider clock, Random random, ILogger logger)
    {
        _self = self;
        _settings = settings;
        _metrics = metrics;
        _clock = clock;
        _random = random;
        _logger = logger;
        State = state;
        foreach (var peer in settings.TrustedPeers)
            _trusted[peer] = true;
        _reader = new CrdtReader(state);
        _inbox = new CrdtInbox(() => _commits!.Ring());
        _writer = new CrdtWriter(state, _inbox, logger);
        Blocks = new CrdtBlocks(_reader);
        var batching = settings.Batching;
        _commits = batching.IsEnabled
            ? new GroupCommit(
                _writer,
                new CommitCollection(
                    batching.MaxBatchSize, batching.MaxBatchAge.ToTimeSpan(), (end, items) => ReplicationLog.BatchCommitted(logger, end, items)),
                new CommitQueue(
                    batching.MaxQueueSize,
                    "error batching item: batching max_queue_size reached. Too many operations are waiting to be batched. "
                    + "Try increasing the max_queue_size or adjusting the batching options",
                    "shutting down. Pin could not be batched"),
                clock)
            : new GroupCommit(_writer, clock: clock);
    }

    /// <inheritdoc/>
    public string Kind => "crdt";

    /// <inheritdoc/>
    public PinStore State { get; }

    /// <inheritdoc/>
    public IBlockStore Blocks { get; }

    /// <summary>Begins to announce, fetch and repair. Once.</summary>
    /// <param name="network">The way to other peers.</param>
    public void Start(ICrdtNetwork network)
    {
        if (Interlocked.Exchange(ref _started, 1) != 0)
            throw new InvalidOperationException("the replicated set is connected already");
        _fetcher = new BlockFetcher(network, _reader, _clock, _logger, Deliver);
        _writer.Connect(new CrdtLinks(network, _fetcher));
        _loops = Task.WhenAll(
            Task.Run(() => RepeatAsync(NextRebroadcast, new CrdtInput.Rebroadcast())),
            Task.Run(() => _settings.RepairInterval > TimeSpan.Zero
                ? RepeatAsync(() => _settings.RepairInterval, new CrdtInput.Repair())
                : Task.CompletedTask));
        Deliver(new CrdtInput.Repair());
    }

    /// <inheritdoc/>
    public Task ReadyAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public ValueTask<ulong> CommitAsync(IReadOnlyList<StateOperation> operations, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var values = new ReadOnlyMemory<byte>[operations.Count];
        for (var i = 0; i < values.Length; i++)
            values[i] = ValueOf(operations[i]);

        // From here on the operations will be written: a caller that goes away does not undo what was accepted.
        return new ValueTask<ulong>(_commits.CommitAsync(operations, values).WaitAsync(cancellationToken));
    }

    /// <inheritdoc/>
    public async Task<ulong> ImportAsync(Stream input, StateImportOptions options, CancellationToken cancellationToken)
    {
        try
        {
            using var replacement = new CrdtReplacement(State);
            await ReplicatedState.ReadAsync(replacement, input, options, cancellationToken);
            return await ReplaceAsync(replacement);
        }
        catch (FormatException e)
        {
            throw new ClusterException(ClusterErrorKind.InvalidArgument, $"error importing state: {e.Message}", e);
        }
        catch (InvalidOperationException e)
        {
            throw new ClusterException(ClusterErrorKind.FailedPrecondition, e.Message, e);
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<PeerId>> PeersAsync(CancellationToken cancellationToken) =>
        new([.. _metrics.Latest(_settings.PeersetMetric).Select(metric => metric.Peer).Append(_self).Distinct().Order()]);

    /// <inheritdoc cref="IConsensus.IsTrusted"/>
    public bool IsTrusted(PeerId peer) => _settings.TrustAll || peer == _self || _trusted.ContainsKey(peer);

    /// <inheritdoc/>
    public void Trust(PeerId peer) => _trusted[peer] = true;

    /// <inheritdoc/>
    public Task AddPeerAsync(PeerId peer, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task RemovePeerAsync(PeerId peer, CancellationToken cancellationToken) => throw new ClusterException(
        ClusterErrorKind.FailedPrecondition, "crdt consensus component cannot remove peers");

    /// <inheritdoc/>
    public async Task CleanAsync(CancellationToken cancellationToken)
    {
        using var replacement = new CrdtReplacement(State);
        await ReplaceAsync(replacement);
    }

    /// <inheritdoc/>
    public void HeadsAnnounced(PeerId author, ReadOnlyMemory<byte> message)
    {
        if (!IsTrusted(author))
            return;
        if (_inbox.Add(new CrdtInput.Announcement(author, message)))
            Volatile.Write(ref _dropping, 0);
        else if (Interlocked.Exchange(ref _dropping, 1) == 0)
            ReplicationLog.AnnouncementsDropped(_logger, CrdtInbox.MaxAnnouncements);
        _inbox.Ring();
    }

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> CurrentHeads() => _writer.Heads;

    /// <inheritdoc/>
    public Task ShutdownAsync(CancellationToken cancellationToken)
    {
        lock (_stop)
            _shutdown ??= Task.Run(ShutdownAsync, CancellationToken.None);
        return _shutdown.WaitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await ShutdownAsync(CancellationToken.None);
        _stop.Dispose();
    }

    private static ReadOnlyMemory<byte> ValueOf(StateOperation operation)
    {
        if (!operation.Cid.IsDefined)
            throw new ClusterException(ClusterErrorKind.InvalidArgument, "bad pin object");
        if (operation.Kind != OperationKind.Pin)
            return default;
        var value = PinProtobuf.ToBytes(operation.Pin!);
        return value.Length <= MaxPinBytes
            ? value
            : throw new ClusterException(ClusterErrorKind.InvalidArgument, $"a pin of {value.Length} bytes is too large: {MaxPinBytes} at most");
    }

    private async Task ShutdownAsync()
    {
        await _stop.CancelAsync();
        _commits.Dispose();
        _inbox.Close();
        if (_fetcher is not null)
            await _fetcher.DisposeAsync();
        await _loops;
    }

    private async Task<ulong> ReplaceAsync(CrdtReplacement replacement)
    {
        Task? shutdown;
        lock (_stop)
            shutdown = _shutdown;
        if (shutdown is not null)
        {
            await shutdown;
            return replacement.Finish();
        }

        // Waited for to the end, whoever goes away: the replacement must live that long.
        var replace = new CrdtInput.Replace(replacement, new TaskCompletionSource<ulong>(TaskCreationOptions.RunContinuationsAsynchronously));
        Deliver(replace);
        return await replace.Done.Task;
    }

    private void Deliver(CrdtInput input)
    {
        _inbox.Add(input);
        _inbox.Ring();
    }

    private TimeSpan NextRebroadcast() => _settings.RebroadcastInterval * (0.7 + (0.6 * _random.NextDouble()));

    private async Task RepeatAsync(Func<TimeSpan> interval, CrdtInput input)
    {
        try
        {
            while (true)
            {
                await Pause.ForAsync(interval(), _clock, _stop.Token);
                Deliver(input);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The peer stops.
        }
    }
}
