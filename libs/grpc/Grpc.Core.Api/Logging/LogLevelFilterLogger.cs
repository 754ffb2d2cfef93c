using System.Globalization;

namespace Grpc.Core.Logging;

/// <summary>Passes on what is at or above a level.</summary>
public class LogLevelFilterLogger : ILogger
{
    private readonly ILogger inner;
    private readonly bool fromEnvironment;

    /// <summary>Filters a logger.</summary>
    public LogLevelFilterLogger(ILogger logger, LogLevel logLevel)
        : this(logger, logLevel, false)
    {
    }

    /// <summary>Filters a logger; <c>GRPC_VERBOSITY</c> overrides the level when so told.</summary>
    public LogLevelFilterLogger(ILogger logger, LogLevel defaultLogLevel, bool overrideLogLevelFromEnvironment)
    {
        ArgumentNullException.ThrowIfNull(logger);
        inner = logger;
        fromEnvironment = overrideLogLevelFromEnvironment;
        LogLevel = fromEnvironment ? Environment.GetEnvironmentVariable("GRPC_VERBOSITY")?.ToUpperInvariant() switch
        {
            "DEBUG" => LogLevel.Debug,
            "INFO" => LogLevel.Info,
            "ERROR" => LogLevel.Error,
            "NONE" => LogLevel.Off,
            _ => defaultLogLevel,
        }
        : defaultLogLevel;
    }

    /// <summary>The lowest level that passes.</summary>
    public LogLevel LogLevel { get; }

    /// <inheritdoc/>
    public virtual ILogger ForType<T>()
    {
        var typed = inner.ForType<T>();
        return ReferenceEquals(typed, inner) ? this : new LogLevelFilterLogger(typed, LogLevel, fromEnvironment);
    }

    /// <inheritdoc/>
    public void Debug(string message)
    {
        if (LogLevel <= LogLevel.Debug)
            inner.Debug(message);
    }

    /// <inheritdoc/>
    public void Debug(string format, params object[] formatArgs) => Debug(string.Format(CultureInfo.InvariantCulture, format, formatArgs));

    /// <inheritdoc/>
    public void Info(string message)
    {
        if (LogLevel <= LogLevel.Info)
            inner.Info(message);
    }

    /// <inheritdoc/>
    public void Info(string format, params object[] formatArgs) => Info(string.Format(CultureInfo.InvariantCulture, format, formatArgs));

    /// <inheritdoc/>
    public void Warning(string message)
    {
        if (LogLevel <= LogLevel.Warning)
            inner.Warning(message);
    }

    /// <inheritdoc/>
    public void Warning(string format, params object[] formatArgs) => Warning(string.Format(CultureInfo.InvariantCulture, format, formatArgs));

    /// <inheritdoc/>
    public void Warning(Exception exception, string message)
    {
        if (LogLevel <= LogLevel.Warning)
            inner.Warning(exception, message);
    }

    /// <inheritdoc/>
    public void Error(string message)
    {
        if (LogLevel <= LogLevel.Error)
            inner.Error(message);
    }

    /// <inheritdoc/>
    public void Error(string format, params object[] formatArgs) => Error(string.Format(CultureInfo.InvariantCulture, format, formatArgs));

    /// <inheritdoc/>
    public void Error(Exception exception, string message)
    {
        if (LogLevel <= LogLevel.Error)
            inner.Error(exception, message);
    }
}
