using System.Diagnostics;

namespace Cluster.Micro.Bench;

/// <summary>Times a piece of work: warmed up, then the best of several rounds, because other work on the machine only ever adds time.</summary>
internal static class Measure
{
    private const int Rounds = 5;

    /// <summary>Nanoseconds and bytes allocated for one call.</summary>
    public static (double Nanoseconds, double Bytes) Calls(int count, Action<int> work)
    {
        for (var i = 0; i < count; i++) work(i);
        var (best, bytes) = (double.MaxValue, 0.0);
        for (var round = 0; round < Rounds; round++)
        {
            var (begin, before) = (Stopwatch.GetTimestamp(), GC.GetAllocatedBytesForCurrentThread());
            for (var i = 0; i < count; i++) work(i);
            best = Math.Min(best, Stopwatch.GetElapsedTime(begin).TotalNanoseconds / count);
            bytes = (double)(GC.GetAllocatedBytesForCurrentThread() - before) / count;
        }
        return (best, bytes);
    }

    /// <summary>Wall time and processor time of this process for one item, in microseconds.</summary>
    public static async Task<(double Wall, double Processor)> ItemsAsync(int items, Func<Task> work)
    {
        await work();
        var (best, processor) = (double.MaxValue, 0.0);
        for (var round = 0; round < Rounds; round++)
        {
            var (begin, before) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
            await work();
            var wall = Stopwatch.GetElapsedTime(begin).TotalMicroseconds / items;
            if (wall >= best) continue;
            (best, processor) = (wall, (Environment.CpuUsage.TotalTime - before).TotalMicroseconds / items);
        }
        return (best, processor);
    }
}
