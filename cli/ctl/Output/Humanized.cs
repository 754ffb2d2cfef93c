using System.Globalization;
using Cluster.Model;

namespace Cluster.Ctl.Output;

/// <summary>Sizes and distances in time for people (spec/ctl.md 4.5).</summary>
internal static class Humanized
{
    private static readonly string[] Units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];

    /// <summary>Decimal units: <c>8.2 GB</c>, <c>52 GB</c>, <c>7 B</c>.</summary>
    public static string Bytes(ulong bytes)
    {
        if (bytes < 10)
            return bytes.ToString(CultureInfo.InvariantCulture) + " B";
        var power = (int)Math.Floor(Math.Log(bytes) / Math.Log(1000));
        var value = Math.Floor((bytes / Math.Pow(1000, power) * 10) + 0.5) / 10;
        return value.ToString(value < 10 ? "F1" : "F0", CultureInfo.InvariantCulture) + " " + Units[power];
    }

    /// <summary>From <paramref name="now"/> to <paramref name="time"/>: <c>now</c>, <c>3 seconds ago</c>, <c>2 days from now</c>.</summary>
    public static string Relative(GoTime time, GoTime now)
    {
        const long minute = 60, hour = 60 * minute, day = 24 * hour, week = 7 * day, month = 30 * day, year = 12 * month;
        var difference = time.Subtract(now);
        var label = difference < GoDuration.Zero ? "ago" : "from now";
        var seconds = Math.Abs(difference.Nanoseconds == long.MinValue ? long.MaxValue : difference.Nanoseconds) / 1_000_000_000;
        return seconds switch
        {
            < 1 => "now",
            < 2 => $"1 second {label}",
            < minute => $"{seconds} seconds {label}",
            < 2 * minute => $"1 minute {label}",
            < hour => $"{seconds / minute} minutes {label}",
            < 2 * hour => $"1 hour {label}",
            < day => $"{seconds / hour} hours {label}",
            < 2 * day => $"1 day {label}",
            < week => $"{seconds / day} days {label}",
            < 2 * week => $"1 week {label}",
            < month => $"{seconds / week} weeks {label}",
            < 2 * month => $"1 month {label}",
            < year => $"{seconds / month} months {label}",
            < 18 * month => $"1 year {label}",
            < 2 * year => $"2 years {label}",
            < 37 * year => $"{seconds / year} years {label}",
            _ => $"a long while {label}",
        };
    }
}
