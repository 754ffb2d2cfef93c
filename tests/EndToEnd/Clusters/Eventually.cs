using System.Diagnostics;
using System.Net.Sockets;

namespace Cluster.EndToEnd.Tests.Clusters;

/// <summary>Waits for what REST offers no watch of.</summary>
internal static class Eventually
{
    private static readonly TimeSpan pace = TimeSpan.FromMilliseconds(100);

    /// <summary>Asks until nothing is missing any more.</summary>
    /// <param name="limit">How long.</param>
    /// <param name="missing">What is missing, or null. A peer that does not answer counts as missing.</param>
    /// <param name="report">Added to the failure.</param>
    public static async Task HoldsAsync(TimeSpan limit, Func<Task<string?>> missing, Func<string>? report = null)
    {
        var begin = Stopwatch.GetTimestamp();
        while (true)
        {
            string? what;
            try
            {
                what = await missing();
            }
            catch (Exception e) when (e is HttpRequestException or SocketException or TaskCanceledException)
            {
                what = e.Message;
            }

            if (what is null)
                return;
            Assert.True(Stopwatch.GetElapsedTime(begin) < limit, $"not within {limit}: {what}\n{report?.Invoke()}");
            await Task.Delay(pace);
        }
    }
}
