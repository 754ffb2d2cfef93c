namespace Grpc.Core.Logging;

/// <summary>The API's own logger interface, for code written against it.</summary>
public interface ILogger
{
    /// <summary>A logger for a type.</summary>
    ILogger ForType<T>();

    /// <summary>Logs at debug level.</summary>
    void Debug(string message);

    /// <summary>Logs a format with arguments at debug level.</summary>
    void Debug(string format, params object[] formatArgs);

    /// <summary>Logs at info level.</summary>
    void Info(string message);

    /// <summary>Logs a format with arguments at info level.</summary>
    void Info(string format, params object[] formatArgs);

    /// <summary>Logs at warning level.</summary>
    void Warning(string message);

    /// <summary>Logs a format with arguments at warning level.</summary>
    void Warning(string format, params object[] formatArgs);

    /// <summary>Logs an exception at warning level.</summary>
    void Warning(Exception exception, string message);

    /// <summary>Logs at error level.</summary>
    void Error(string message);

    /// <summary>Logs a format with arguments at error level.</summary>
    void Error(string format, params object[] formatArgs);

    /// <summary>Logs an exception at error level.</summary>
    void Error(Exception exception, string message);
}

/// <summary>Levels of <see cref="ILogger"/>.</summary>
public enum LogLevel
{
    /// <summary>For developers.</summary>
    Debug,

    /// <summary>What happens.</summary>
    Info,

    /// <summary>What may go wrong.</summary>
    Warning,

    /// <summary>What went wrong.</summary>
    Error,

    /// <summary>No messages.</summary>
    Off,
}
