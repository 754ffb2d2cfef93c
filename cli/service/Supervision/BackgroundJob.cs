using System.Globalization;
using System.Runtime.InteropServices;

namespace Cluster.Service.Supervision;

/// <summary>
/// A shell starts background jobs with SIGINT ignored, and .NET leaves an ignored signal ignored; the original listens to it all the
/// same, and scripts stop it so. SIGHUP stays ignored where it is: that is what <c>nohup</c> asks for.
/// </summary>
internal static partial class BackgroundJob
{
    private const int Interrupt = 2;
    private const nint DefaultAction = 0;

    /// <summary>Un-ignores SIGINT. To be called first in the program: .NET takes note of ignored signals when it first handles any.</summary>
    public static void ListenToInterrupt()
    {
        if (IsIgnored(Interrupt))
            _ = SetSignal(Interrupt, DefaultAction);
    }

    private static bool IsIgnored(int signal)
    {
        const string field = "SigIgn:";
        foreach (var line in File.ReadLines("/proc/self/status"))
        {
            if (line.StartsWith(field, StringComparison.Ordinal))
                return (ulong.Parse(line.AsSpan(field.Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) >> (signal - 1) & 1) != 0;
        }

        return false;
    }

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint SetSignal(int signal, nint action);
}
