using System.Threading.Channels;
using KuboRpc;

namespace Cluster.Connector.Serving;

/// <summary>Passes a pin's progress on at the pace of the reader: what was not read yet is replaced by what is newer.</summary>
internal sealed class LatestProgress : IProgress<DaemonPinProgress>
{
    private readonly Channel<DaemonPinProgress> _latest = Channel.CreateBounded<DaemonPinProgress>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });

    public void Report(DaemonPinProgress value) => _latest.Writer.TryWrite(value);

    /// <summary>Sends until the pin has ended, well or not.</summary>
    public async Task SendUntilAsync(Task pinning, Func<DaemonPinProgress, Task> send)
    {
        var ended = pinning.ContinueWith(
            _ => _latest.Writer.TryComplete(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        await foreach (var progress in _latest.Reader.ReadAllAsync())
            await send(progress);
        await ended;
    }
}
