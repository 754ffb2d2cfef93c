namespace Cluster.Model.Configuration;

/// <summary>A configuration or identity that cannot be used. The message is the original's, as it follows <c>error loading configurations: </c>.</summary>
public sealed class ConfigurationException : Exception
{
    public ConfigurationException(string message)
        : base(message)
    {
    }

    public ConfigurationException()
    {
    }

    public ConfigurationException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>What the original logs on the way, in order.</summary>
    public IReadOnlyList<ConfigurationLogLine> Log { get; init; } = [];
}

/// <summary>A line that the original logs while it loads: level (<c>ERROR</c>, <c>WARN</c>), facility and text.</summary>
public sealed record ConfigurationLogLine(string Level, string Facility, string Message);
