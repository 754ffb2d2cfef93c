using Cluster.Model.Configuration;
using Microsoft.Extensions.Logging;

namespace Cluster.Hosting.Configuration;

/// <summary>Logs what loading a configuration has to say.</summary>
public static partial class ConfigurationLog
{
    /// <summary>Writes one line under its facility.</summary>
    /// <param name="loggers">Makes the loggers.</param>
    /// <param name="line">The line.</param>
    /// <param name="alreadySaid">Another process of this peer logged it: then only at debug level.</param>
    public static void Write(ILoggerFactory loggers, ConfigurationLogLine line, bool alreadySaid)
    {
        ArgumentNullException.ThrowIfNull(loggers);
        ArgumentNullException.ThrowIfNull(line);
        var level = alreadySaid ? LogLevel.Debug : line.Level switch
        {
            "ERROR" => LogLevel.Error,
            "WARN" => LogLevel.Warning,
            "DEBUG" => LogLevel.Debug,
            _ => LogLevel.Information,
        };
        Loading(loggers.CreateLogger(line.Facility), level, line.Message);
    }

    [LoggerMessage(EventId = 9301, Message = "{Text}")]
    private static partial void Loading(ILogger logger, LogLevel level, string text);
}
