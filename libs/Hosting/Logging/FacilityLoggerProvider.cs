using Microsoft.Extensions.Logging;

namespace Cluster.Hosting.Logging;

/// <summary>Loggers whose category is a facility, writing lines of the original's form.</summary>
public sealed class FacilityLoggerProvider : ILoggerProvider
{
    private readonly LogLevels levels;
    private readonly LogOutput output;

    /// <summary>Loggers at these levels to this output.</summary>
    public FacilityLoggerProvider(LogLevels levels, LogOutput output)
    {
        ArgumentNullException.ThrowIfNull(levels);
        ArgumentNullException.ThrowIfNull(output);
        this.levels = levels;
        this.output = output;
    }

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName)
    {
        var facility = Facility.Of(categoryName);
        return new FacilityLogger(facility, levels.Of(facility), output);
    }

    /// <summary>The output outlives the loggers: a process logs until its end.</summary>
    public void Dispose()
    {
    }

    private sealed class FacilityLogger(string facility, LogLevel least, LogOutput output) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None && logLevel >= least;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
                return;
            // The original names file and line; an event's name and number lead to the code as well, in the same form.
            var caller = $"{facility}/{eventId.Name ?? "Log"}.cs:{eventId.Id}";
            output.Write(logLevel, facility, caller, formatter(state, exception), Fields(exception));
        }

        private IReadOnlyList<KeyValuePair<string, string>> Fields(Exception? exception)
        {
            if (exception is null)
                return [];
            return least <= LogLevel.Debug
                ? [KeyValuePair.Create("error", exception.Message), KeyValuePair.Create("stacktrace", exception.ToString())]
                : [KeyValuePair.Create("error", exception.Message)];
        }
    }
}
