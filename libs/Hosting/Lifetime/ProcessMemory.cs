using System.Runtime.InteropServices;

namespace Cluster.Hosting.Lifetime;

/// <summary>The memory of this process.</summary>
public static partial class ProcessMemory
{
    /// <summary>Gives what a burst needed back to the system, the collector's and the C library's: some 10 ms of work.</summary>
    public static void GiveBack()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        try
        {
            _ = malloc_trim(0);
        }
        catch (EntryPointNotFoundException)
        {
            // A C library other than glibc keeps its own house.
        }
    }

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int malloc_trim(nuint pad);
}
