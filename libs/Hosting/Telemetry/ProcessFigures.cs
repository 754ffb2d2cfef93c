using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Cluster.Hosting.Telemetry;

/// <summary>
/// The usual figures of a process, under the usual names (<c>process_*</c>) and those of the runtime (<c>dotnet_*</c>, where the
/// original has <c>go_*</c>), each labelled with the service.
/// </summary>
internal static class ProcessFigures
{
    public static void Print(StringBuilder output, ServiceName service)
    {
        var label = PrometheusText.Labels([KeyValuePair.Create("service", service.Name)]);

        void Write(string name, string type, string help, double value)
        {
            PrometheusText.WriteHeader(output, name, type, help);
            PrometheusText.WriteSample(output, name, label, value);
        }

        var collected = GC.GetGCMemoryInfo();
        Write("dotnet_collection_count", "counter", "Number of garbage collections.", GC.CollectionCount(0));
        Write("dotnet_gc_pause_seconds_total", "counter", "Time that garbage collections paused the process.", GC.GetTotalPauseDuration().TotalSeconds);
        Write("dotnet_heap_allocated_bytes_total", "counter", "Bytes allocated on the managed heap.", GC.GetTotalAllocatedBytes());
        Write("dotnet_heap_bytes", "gauge", "Bytes in use on the managed heap.", GC.GetTotalMemory(false));
        Write("dotnet_heap_committed_bytes", "gauge", "Bytes committed for the managed heap.", collected.TotalCommittedBytes);
        Write("dotnet_threadpool_threads", "gauge", "Threads of the thread pool.", ThreadPool.ThreadCount);
        Write("dotnet_threadpool_queue_length", "gauge", "Work items waiting for the thread pool.", ThreadPool.PendingWorkItemCount);

        using var process = Process.GetCurrentProcess();
        Write("process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.", process.TotalProcessorTime.TotalSeconds);
        Write("process_resident_memory_bytes", "gauge", "Resident memory size in bytes.", process.WorkingSet64);
        Write("process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes.", process.VirtualMemorySize64);
        Write("process_start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds.", new DateTimeOffset(process.StartTime).ToUnixTimeMilliseconds() / 1000.0);
        Write("process_open_fds", "gauge", "Number of open file descriptors.", CountOpenFiles());
        Write("process_max_fds", "gauge", "Maximum number of open file descriptors.", MaximumOpenFiles());
        Write("process_threads", "gauge", "Threads of the process.", process.Threads.Count);
    }

    private static double CountOpenFiles()
    {
        try
        {
            return Directory.EnumerateFileSystemEntries("/proc/self/fd").Count();
        }
        catch (IOException)
        {
            return double.NaN;
        }
    }

    private static double MaximumOpenFiles()
    {
        try
        {
            foreach (var line in File.ReadLines("/proc/self/limits"))
            {
                if (line.StartsWith("Max open files", StringComparison.Ordinal)
                    && double.TryParse(line["Max open files".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture, out var limit))
                    return limit;
            }
        }
        catch (IOException)
        {
            // Not Linux.
        }

        return double.NaN;
    }
}
