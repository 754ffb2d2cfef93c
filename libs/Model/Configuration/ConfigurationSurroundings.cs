namespace Cluster.Model.Configuration;

/// <summary>What a configuration depends on beside its text. The library itself touches no file and no environment.</summary>
public sealed record ConfigurationSurroundings
{
    /// <summary>The configuration folder; relative names resolve against it.</summary>
    public required string Folder { get; init; }

    /// <summary>The environment variables.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>The default of <c>cluster.peername</c>.</summary>
    public string HostName { get; init; } = string.Empty;

    /// <summary>
    /// Reads a TLS certificate or key, so that a wrong one is refused while loading. Null skips that check. It may throw the exceptions of
    /// <see cref="System.IO.File.ReadAllBytes(string)"/>.
    /// </summary>
    public Func<string, byte[]>? ReadFile { get; init; }
}
