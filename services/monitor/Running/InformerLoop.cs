using System.Threading.Channels;
using Cluster.Model;
using Cluster.Monitor.Informers;
using Libp2p;

namespace Cluster.Monitor.Running;

/// <summary>
/// Runs one informer again and again and publishes what it finds (spec/behaviour.md 2.2): at half the time that a finding holds, at
/// a quarter after a failure, and at once when asked.
/// </summary>
public sealed class InformerLoop(IInformer informer, PeerId peer, MetricHub hub, TimeProvider time, Action<Exception> failed)
{
    /// <summary>Taken for the time to live when nothing valid was found.</summary>
    private static readonly TimeSpan TimeWithoutFinding = TimeSpan.FromSeconds(30);

    /// <summary>A run that takes longer has failed. JS-IPFS needs up to a second for its repository's size, busy ones more.</summary>
    private static readonly TimeSpan RunLimit = TimeSpan.FromSeconds(60);

    /// <summary>Timers take no more than about 49 days; a finding may be said to hold for longer.</summary>
    private static readonly TimeSpan LongestPause = TimeSpan.FromDays(1);

    private readonly Channel<TaskCompletionSource> _asked = Channel.CreateBounded<TaskCompletionSource>(64);

    /// <summary>The informer's name.</summary>
    public string Name => informer.Name;

    /// <summary>Runs the informer now; returns when it has run.</summary>
    public async Task RunNowAsync(CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await _asked.Writer.WriteAsync(done, cancellationToken);
        await done.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Asks for a run soon, without waiting. Many such requests are one.</summary>
    public void RunSoon() => _asked.Writer.TryWrite(new TaskCompletionSource());

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        List<TaskCompletionSource> waiting = [];
        while (true)
        {
            var pause = await RunOnceAsync(cancellationToken);
            waiting.ForEach(asked => asked.TrySetResult());
            waiting.Clear();
            using var next = new CancellationTokenSource(pause < LongestPause ? pause : LongestPause, time);
            using var wait = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, next.Token);
            try
            {
                await _asked.Reader.WaitToReadAsync(wait.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // Time for the next run.
            }
            while (_asked.Reader.TryRead(out var asked))
                waiting.Add(asked);
        }
    }

    private async Task<TimeSpan> RunOnceAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(RunLimit);
        try
        {
            var findings = await informer.FindAsync(limit.Token);
            var expire = GoTime.Now(time).Add(GoDuration.FromTimeSpan(informer.TimeToLive)).UnixNanoseconds;
            List<Metric> metrics = [.. findings.Where(finding => finding.Valid).Select(finding => Metric(finding, expire))];
            if (metrics.Count > 0)
                hub.PublishOwn(metrics);
            return (metrics.Count > 0 ? informer.TimeToLive : TimeWithoutFinding) / 2;
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            failed(failure);
            return informer.TimeToLive / 4;
        }
    }

    private Metric Metric(Finding finding, long expire) => new()
    {
        Name = finding.Name,
        Peer = peer,
        Value = finding.Value,
        Expire = expire,
        Valid = true,
        Weight = finding.Weight,
        Partitionable = finding.Partitionable,
    };
}
