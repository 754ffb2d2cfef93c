using Microsoft.Extensions.Logging;

namespace Cluster.Hosting.Logging;

/// <summary>
/// The level of every facility: from <c>--loglevel</c>, <c>--debug</c> and <c>GOLOG_LOG_LEVEL</c> (spec/service-cli.md 6).
/// A facility of a library that nobody named stays at error.
/// </summary>
public sealed class LogLevels
{
    private readonly Dictionary<string, LogLevel> named;
    private readonly LogLevel others;

    private LogLevels(Dictionary<string, LogLevel> named, LogLevel others)
    {
        this.named = named;
        this.others = others;
    }

    /// <summary>The levels without any flag or variable.</summary>
    public static LogLevels Default { get; } = Parse("", false, null, _ => { });

    /// <summary>The level of a facility.</summary>
    public LogLevel Of(string facility) => named.TryGetValue(facility, out var level) ? level : others;

    /// <summary>Reads the levels.</summary>
    /// <param name="levels">A list of <c>&lt;level&gt;</c> and <c>&lt;facility&gt;:&lt;level&gt;</c>, separated by commas.</param>
    /// <param name="debug">Everything at debug, whatever else is said.</param>
    /// <param name="goLog">The value of <c>GOLOG_LOG_LEVEL</c>: a level, or <c>info,facility=debug</c>.</param>
    /// <param name="say">Told of a facility that is named twice.</param>
    /// <exception cref="FormatException">An item has more than one colon.</exception>
    public static LogLevels Parse(string levels, bool debug, string? goLog, Action<string> say)
    {
        ArgumentNullException.ThrowIfNull(levels);
        ArgumentNullException.ThrowIfNull(say);
        if (debug)
            return new LogLevels([], LogLevel.Debug);
        var (result, others) = ParseGoLog(goLog);
        string? overall = null;
        var asked = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var item in levels.Split(','))
        {
            var parts = item.Trim().Split(':');
            if (parts.Length > 2)
                throw new FormatException("log level not in expected format \"identifier:loglevel\" or \"loglevel\"");
            if (parts.Length == 1)
            {
                if (parts[0].Length == 0)
                    continue;
                if (overall is not null)
                    say("overwriting existing all log level");
                overall = parts[0];
                continue;
            }

            if (!asked.TryAdd(parts[0], parts[1]))
            {
                say($"overwriting existing {parts[0]} log level");
                asked[parts[0]] = parts[1];
            }
        }

        foreach (var facility in Facility.Cluster)
            Set(facility, asked.GetValueOrDefault(facility, overall ?? "info"));
        foreach (var (facility, level) in Facility.Libraries)
            Set(facility, asked.GetValueOrDefault(facility, level));
        foreach (var (facility, level) in asked)
            Set(facility, level);
        return new LogLevels(result, others);

        void Set(string facility, string level)
        {
            if (TryParse(level, out var parsed))
                result[facility] = parsed;
        }
    }

    /// <summary>Reads the name of a level; any case, empty is info.</summary>
    public static bool TryParse(string text, out LogLevel level)
    {
        ArgumentNullException.ThrowIfNull(text);
        (level, var known) = text.ToUpperInvariant() switch
        {
            "DEBUG" => (LogLevel.Debug, true),
            "INFO" or "" => (LogLevel.Information, true),
            "WARN" or "WARNING" => (LogLevel.Warning, true),
            "ERROR" => (LogLevel.Error, true),
            "DPANIC" or "PANIC" or "FATAL" => (LogLevel.Critical, true),
            _ => (LogLevel.Error, false),
        };
        return known;
    }

    private static (Dictionary<string, LogLevel> Named, LogLevel Others) ParseGoLog(string? text)
    {
        var named = new Dictionary<string, LogLevel>(StringComparer.Ordinal);
        var others = LogLevel.Error;
        foreach (var item in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = item.Split('=', 2);
            if (parts.Length == 2 && TryParse(parts[1], out var level))
                named[parts[0]] = level;
            else if (parts.Length == 1 && TryParse(parts[0], out level))
                others = level;
        }

        return (named, others);
    }
}
