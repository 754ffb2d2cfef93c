using Microsoft.Extensions.Logging;

namespace Cluster.Consensus.Lifecycle;

/// <summary>
/// Follows a stream of another service for as long as this one runs: when it ends, it is opened again, after pauses that grow while
/// the service is away.
/// </summary>
internal sealed class Follower(string service, TimeProvider clock, ILogger logger)
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    /// <summary>Runs until cancelled. <paramref name="follow"/> calls its argument with each message, which resets the pauses.</summary>
    internal async Task RunAsync(Func<Action, CancellationToken, Task> follow, CancellationToken cancellationToken)
    {
        var pause = ShortestPause;
        var told = false;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await follow(
                    () =>
                    {
                        pause = ShortestPause;
                        told = false;
                    },
                    cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // A service that restarts is away for a moment: only a longer absence is worth a line.
                if (!told && pause >= LongestPause)
                {
                    told = true;
                    Log.ServiceAway(logger, service, e.Message);
                }
            }

            try
            {
                await Task.Delay(pause, clock, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }
}
