using System.Collections.Concurrent;
using Cluster.Consensus.Clients;
using Cluster.Consensus.Pinning;
using Google.Protobuf;
using Ipld;
using Libp2p;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Tests;

/// <summary>A clock that a test moves. Timers fire when it passes them.</summary>
internal sealed class ManualClock : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly List<ManualTimer> _timers = [];
    private TaskCompletionSource _slept = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private DateTimeOffset _now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
            return _now;
    }

    public void Advance(TimeSpan by)
    {
        List<ManualTimer> due;
        lock (_lock)
        {
            _now += by;
            due = [.. _timers.Where(t => t.Due <= _now)];
            foreach (var timer in due)
                _timers.Remove(timer);
        }

        foreach (var timer in due)
            timer.Fire();
    }

    /// <summary>Waits until somebody waits for the clock.</summary>
    public Task SleeperAsync()
    {
        lock (_lock)
            return _timers.Count > 0 ? Task.CompletedTask : _slept.Task.WaitAsync(TimeSpan.FromSeconds(60));
    }

    /// <summary>Lets so much time pass whenever somebody waits for the clock, until something has ended, well or badly.</summary>
    public async Task PassUntilAsync(Task ended, TimeSpan step)
    {
        while (!ended.IsCompleted)
        {
            var sleeper = SleeperAsync();
            if (await Task.WhenAny(ended, sleeper) == sleeper)
                await sleeper;
            Advance(step);
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class ManualTimer(ManualClock clock, TimerCallback callback, object? state) : ITimer
    {
        public DateTimeOffset Due { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._lock)
            {
                clock._timers.Remove(this);
                if (dueTime == Timeout.InfiniteTimeSpan)
                    return true;
                Due = clock._now + dueTime;
                clock._timers.Add(this);
                clock._slept.TrySetResult();
                clock._slept = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            return true;
        }

        public void Dispose() => Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}

/// <summary>A tracker that knows what it is told.</summary>
internal sealed class FakeTracker : ITracker
{
    public ConcurrentDictionary<Cid, V1.PinInfo> Known { get; } = new();

    public ConcurrentQueue<(Cid Cid, ulong Sequence)> Asked { get; } = new();

    public Exception? Failure { get; set; }

    /// <summary>Held until a test lets questions through; open at first.</summary>
    public Func<CancellationToken, Task> BeforeEach { get; set; } = static _ => Task.CompletedTask;

    public async ValueTask<V1.PinInfo> StatusAsync(Cid cid, ulong atLeastSequence, CancellationToken cancellationToken)
    {
        Asked.Enqueue((cid, atLeastSequence));
        await BeforeEach(cancellationToken);
        if (Failure is not null)
            throw Failure;
        return (Known.TryGetValue(cid, out var info) ? info.Clone() : Report(cid, V1.TrackerStatus.Unpinned));
    }

    public async ValueTask<V1.PinInfo> RecoverAsync(Cid cid, ulong atLeastSequence, CancellationToken cancellationToken)
    {
        var info = await StatusAsync(cid, atLeastSequence, cancellationToken);
        info.Status = info.Status switch
        {
            V1.TrackerStatus.PinError or V1.TrackerStatus.UnexpectedlyUnpinned => V1.TrackerStatus.PinQueued,
            V1.TrackerStatus.UnpinError => V1.TrackerStatus.UnpinQueued,
            var other => other,
        };
        return info;
    }

    public async IAsyncEnumerable<StatusPage> StatusAllAsync(
        int statusMask, ulong atLeastSequence, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        if (Failure is not null)
            throw Failure;
        foreach (var chunk in Known.OrderBy(k => k.Key).Select(k => k.Value).Where(i => statusMask == 0 || ((int)i.Status & statusMask) != 0).Chunk(3))
            yield return Page(chunk);
    }

    public IAsyncEnumerable<StatusPage> RecoverAllAsync(ulong atLeastSequence, CancellationToken cancellationToken) =>
        StatusAllAsync((int)V1.TrackerStatus.PinError, atLeastSequence, cancellationToken);

    public static StatusPage Page(IEnumerable<V1.PinInfo> items)
    {
        var message = new V1.TrackerStatusAllResponse();
        message.Items.Add(items);
        return StatusPage.From(message);
    }

    public static V1.PinInfo Report(Cid cid, V1.TrackerStatus status, string error = "") => new()
    {
        Cid = UnsafeByteOperations.UnsafeWrap(cid.Memory),
        Status = status,
        Error = error,
        Timestamp = new V1.Time { Seconds = 1 },
    };
}

/// <summary>A daemon that answers from what it is told.</summary>
internal sealed class FakeDaemon : IDaemon, IClusterDagReader
{
    public string Error { get; set; } = string.Empty;

    public string Id { get; set; } = "12D3KooWDaemon";

    public IReadOnlyList<string> Addresses { get; set; } = ["/ip4/10.0.0.1/tcp/4001"];

    public IReadOnlyList<string> Swarm { get; set; } = ["12D3KooWOther"];

    public List<V1.RepoGcKey> Garbage { get; } = [new V1.RepoGcKey { Key = ByteString.CopyFrom(1, 2) }];

    public Dictionary<string, Cid> Paths { get; } = [];

    public Dictionary<Cid, IReadOnlyList<Cid>> Dags { get; } = [];

    /// <summary>Held until a test lets the question for its id through; open at first.</summary>
    public Func<CancellationToken, Task> BeforeId { get; set; } = static _ => Task.CompletedTask;

    public async ValueTask<V1.IpfsId> IdAsync(CancellationToken cancellationToken)
    {
        await BeforeId(cancellationToken);
        return Error.Length > 0 ? new V1.IpfsId { Error = Error } : new V1.IpfsId { Id = Id, Addresses = { Addresses } };
    }

    public ValueTask<Cid> ResolveAsync(string path, CancellationToken cancellationToken) =>
        Paths.TryGetValue(path, out var cid) ? new(cid) : throw new ClusterException(ClusterErrorKind.Internal, $"no link named {path}");

    public ValueTask<ReadOnlyMemory<byte>> GetBlockAsync(Cid cid, CancellationToken cancellationToken) =>
        throw new ClusterException(ClusterErrorKind.Internal, "block not found");

    /// <summary>Thrown by a collection of garbage.</summary>
    public Exception? GarbageFailure { get; set; }

    public ValueTask<IReadOnlyList<V1.RepoGcKey>> RepoGcAsync(CancellationToken cancellationToken) => GarbageFailure is not null ? throw GarbageFailure : Error.Length > 0
        ? throw new ClusterException(ClusterErrorKind.Unavailable, Error)
        : new([.. Garbage]);

    public ValueTask<IReadOnlyList<string>> SwarmPeersAsync(CancellationToken cancellationToken) => Error.Length > 0
        ? throw new ClusterException(ClusterErrorKind.Unavailable, Error)
        : new(Swarm);

    public ValueTask<V1.RepoStatResponse> RepoStatAsync(CancellationToken cancellationToken) => Error.Length > 0
        ? throw new ClusterException(ClusterErrorKind.Unavailable, Error)
        : new(new V1.RepoStatResponse { RepoSize = 1000, StorageMax = 5000 });

    /// <summary>Blocks stored so far.</summary>
    public ConcurrentQueue<V1.Block> Stored { get; } = new();

    /// <summary>Held until a test lets blocks through; open at first.</summary>
    public Func<CancellationToken, Task> BeforeEachBlock { get; set; } = static _ => Task.CompletedTask;

    public async Task PutBlocksAsync(IAsyncEnumerable<IReadOnlyList<V1.Block>> blocks, Action<long> written, CancellationToken cancellationToken)
    {
        if (Error.Length > 0)
            throw new ClusterException(ClusterErrorKind.Unavailable, Error);
        await foreach (var bunch in blocks.WithCancellation(cancellationToken))
        {
            foreach (var block in bunch)
            {
                await BeforeEachBlock(cancellationToken);
                Stored.Enqueue(block);
            }

            written(bunch.Count);
        }
    }

    /// <summary>What happens while links are being read.</summary>
    public Func<Task> BeforeLinks { get; set; } = static () => Task.CompletedTask;

    public async Task<IReadOnlyList<Cid>> ReadLinksAsync(Cid clusterDag, CancellationToken cancellationToken)
    {
        await BeforeLinks();
        return Dags.TryGetValue(clusterDag, out var links)
            ? links
            : throw new ClusterException(ClusterErrorKind.Internal, "error reading clusterDAG block from ipfs: not found");
    }
}

/// <summary>Without a network no other peer can be reached; every question about one is answered so.</summary>
internal sealed class NoRemotePeers : IRemotePeers
{
    public IReadOnlyList<Multiaddr> AddressesOf(PeerId peer) => [];

    public ValueTask<V1.PeerInfo> IdAsync(PeerId peer, CancellationToken cancellationToken) => throw Unreachable(peer);

    public ValueTask<V1.PeerInfo> CallBackAsync(PeerId joining, CancellationToken cancellationToken) => throw Unreachable(joining);

    public ValueTask<V1.PeerInfo> JoinAsync(PeerId peer, CancellationToken cancellationToken) => throw Unreachable(peer);

    public IAsyncEnumerable<V1.PeerInfo> MembersOfAsync(PeerId peer, CancellationToken cancellationToken) => throw Unreachable(peer);

    public ITracker TrackerOf(PeerId peer) => throw Unreachable(peer);

    public IDaemon DaemonOf(PeerId peer) => throw Unreachable(peer);

    private static ClusterException Unreachable(PeerId peer) =>
        new(ClusterErrorKind.Unavailable, $"failed to dial {peer}: no addresses");
}
