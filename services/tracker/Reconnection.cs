using Grpc.Core;

namespace Cluster.Tracker;

/// <summary>Keeps a stream to another process of the peer going: when it ends, for whatever reason, it is opened again.</summary>
internal static class Reconnection
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    /// <summary>Repeats the work until it is cancelled; the waits between grow until the work says that it is connected.</summary>
    /// <param name="work">One life of the stream; calls its argument when the other side is there.</param>
    /// <param name="failed">Told why, once for each time the other side was lost.</param>
    public static async Task RunAsync(Func<Action, Task> work, Action<string> failed, TimeProvider time, CancellationToken cancellation)
    {
        var wait = FirstWait;
        var told = false;
        while (!cancellation.IsCancellationRequested)
        {
            string error;
            try
            {
                await work(() =>
                {
                    wait = FirstWait;
                    told = false;
                });
                error = "the stream ended";
            }
            catch (Exception e) when (e is RpcException or OperationCanceledException or InvalidOperationException or IOException)
            {
                error = e is RpcException rpc ? rpc.Status.Detail : e.Message;
            }

            if (cancellation.IsCancellationRequested)
                return;
            if (!told)
                failed(error);
            told = true;
            await Task.Delay(wait, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
        }
    }
}
