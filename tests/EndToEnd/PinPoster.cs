using System.Collections.Concurrent;
using System.Net.Sockets;

namespace Cluster.EndToEnd.Tests;

/// <summary>
/// Posts distinct pins over several connections until told to stop, and remembers which of them were answered with 200. Connections that
/// break, and answers that say "not now", are what a killed process looks like from outside: the poster tries the pin again, as clients do.
/// </summary>
internal sealed class PinPoster(RunningPeer peer, int family, int connections, int limit)
{
    private int next = -1;

    public ConcurrentBag<string> Acknowledged { get; } = [];

    public ConcurrentBag<string> Refusals { get; } = [];

    /// <summary>Released for every acknowledged pin, so that a test can wait for some before it kills.</summary>
    public SemaphoreSlim Progress { get; } = new(0);

    public Task RunAsync(CancellationToken stop) => Task.WhenAll(Enumerable.Range(0, connections).Select(_ => PostAsync(stop)));

    /// <summary>Waits until this many more pins have been acknowledged.</summary>
    public async Task WaitForAsync(int acknowledged, TimeSpan limit)
    {
        using var deadline = new CancellationTokenSource(limit);
        for (var i = 0; i < acknowledged; i++) await Progress.WaitAsync(deadline.Token);
    }

    private async Task PostAsync(CancellationToken stop)
    {
        using var client = peer.NewClient();
        for (int number; !stop.IsCancellationRequested && (number = Interlocked.Increment(ref next)) < limit;)
        {
            var cid = InlineCids.Create(family, number);
            while (!stop.IsCancellationRequested && !await TryPostAsync(client, cid, stop)) await PauseAsync(stop);
        }
    }

    private async Task<bool> TryPostAsync(HttpClient client, string cid, CancellationToken stop)
    {
        try
        {
            using var answer = await client.PostAsync(new Uri($"pins/{cid}", UriKind.Relative), null, stop);
            if (answer.IsSuccessStatusCode)
            {
                Acknowledged.Add(cid);
                Progress.Release();
                return true;
            }

            Refusals.Add(await answer.Content.ReadAsStringAsync(stop));
        }
        catch (Exception broken) when (broken is HttpRequestException or SocketException)
        {
            // A bare SocketException is what the client's pool hears of a connection that is closed as soon as it is made.
            Refusals.Add(broken.Message);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The test has seen enough.
        }
        catch (TaskCanceledException silent) when (silent.InnerException is TimeoutException)
        {
            Refusals.Add(silent.Message);
        }

        return false;
    }

    private static async Task PauseAsync(CancellationToken stop)
    {
        try
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), stop);
        }
        catch (OperationCanceledException)
        {
            // The caller looks at the token.
        }
    }
}
