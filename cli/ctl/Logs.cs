using System.Globalization;
using System.Runtime.CompilerServices;

namespace Cluster.Ctl;

/// <summary>Log lines on the error channel, in the form that the original's logger gives them.</summary>
internal static class Logs
{
    public static Task ErrorAsync(TextWriter error, string text, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        error.WriteAsync(Line("ERROR", "apiclient", text, file, line));

    public static void Write(TextWriter error, string level, string facility, string text, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        error.Write(Line(level, facility, text, file, line));

    private static string Line(string level, string facility, string text, string file, int line)
    {
        var now = TimeProvider.System.GetLocalNow();
        var offset = now.Offset == TimeSpan.Zero ? "Z" : now.ToString("zzz", CultureInfo.InvariantCulture).Replace(":", string.Empty, StringComparison.Ordinal);
        var time = now.ToString("yyyy-MM-ddTHH:mm:ss.fff", CultureInfo.InvariantCulture) + offset;
        return $"{time}\t{level}\t{facility}\tctl/{Path.GetFileName(file)}:{line}\t{text}\n";
    }
}
