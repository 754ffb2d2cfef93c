using System.Net.Http.Headers;
using System.Text;
using Cluster.Model.Configuration;

namespace Cluster.Hosting.Configuration;

/// <summary>Reads <c>service.json</c> with the environment, and fetches it when it only names a source (spec/config.md 2).</summary>
public static class ConfigurationFile
{
    /// <summary>The file's name in the configuration folder.</summary>
    public const string Name = "service.json";

    /// <summary>
    /// Set by the supervisor to a file with what it fetched from the source, so that the five services run with the same text and the
    /// source is asked once.
    /// </summary>
    public const string FetchedVariable = "CLUSTER_FETCHED_CONFIGURATION";

    /// <summary>
    /// Set by <c>daemon --consensus</c>: which section of <c>consensus</c> counts when the file has both. It must be one that the file has.
    /// </summary>
    public const string ConsensusVariable = "CLUSTER_CONSENSUS";

    private static readonly TimeSpan fetchLimit = TimeSpan.FromSeconds(60);

    /// <summary>A configuration has some 10 KiB.</summary>
    private const int MaximumBytes = 16 << 20;

    /// <summary>Loads the configuration of a folder.</summary>
    /// <param name="folder">The configuration folder.</param>
    /// <param name="environment">The variables.</param>
    /// <param name="checkTlsFiles">Whether certificates and keys that it names must be readable here.</param>
    /// <param name="log">Told what the original would have logged, also when loading fails then.</param>
    /// <param name="cancellationToken">Stops a fetch.</param>
    /// <returns>The configuration, and the text when it was fetched.</returns>
    /// <exception cref="ServiceStartException">It cannot be loaded: <c>error loading configurations: …</c>.</exception>
    public static async Task<(ClusterConfiguration Configuration, string? Fetched)> LoadAsync(
        string folder,
        IReadOnlyDictionary<string, string> environment,
        bool checkTlsFiles,
        Action<ConfigurationLogLine> log,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(environment);
        ArgumentNullException.ThrowIfNull(log);
        var surroundings = new ConfigurationSurroundings
        {
            Folder = folder,
            Environment = environment,
            HostName = System.Environment.MachineName,
            ReadFile = checkTlsFiles ? File.ReadAllBytes : null,
        };
        try
        {
            var text = await ReadAsync(Path.Combine(folder, Name), log, cancellationToken);
            if (ConfigurationLoader.SourceOf(text) is not { } source)
                return (Logged(ConfigurationLoader.Load(text, surroundings)), null);
            string fetched;
            if (environment.TryGetValue(FetchedVariable, out var path))
            {
                fetched = await File.ReadAllTextAsync(path, cancellationToken);
            }
            else
            {
                log(new ConfigurationLogLine("INFO", "config", "loading configuration from " + source));
                fetched = await FetchAsync(source, cancellationToken);
            }

            // A source that points on is refused; the log tells where to.
            if (ConfigurationLoader.SourceOf(fetched) is { } second)
                log(new ConfigurationLogLine("INFO", "config", "loading configuration from " + second));
            return (Logged(ConfigurationLoader.LoadFetched(fetched, source, surroundings)), fetched);
        }
        catch (ConfigurationException error)
        {
            foreach (var line in error.Log)
                log(line);
            throw new ServiceStartException("loading configurations", error.Message, error);
        }

        ClusterConfiguration Logged(ClusterConfiguration configuration)
        {
            foreach (var line in configuration.Log)
                log(line);
            return environment.TryGetValue(ConsensusVariable, out var consensus) ? WithConsensus(configuration, consensus) : configuration;
        }
    }

    /// <summary>Why a file could not be read, in the words of Go: <c>open PATH: no such file or directory</c>.</summary>
    public static string Reason(string path, Exception error) => $"open {path}: " + error switch
    {
        FileNotFoundException or DirectoryNotFoundException => "no such file or directory",
        UnauthorizedAccessException => Directory.Exists(path) ? "is a directory" : "permission denied",
        null => "",
        _ => error.Message,
    };

    private static ClusterConfiguration WithConsensus(ClusterConfiguration configuration, string consensus)
    {
        if (!configuration.Runs("consensus." + consensus))
        {
            throw new ServiceStartException(
                "choosing consensus",
                $"\"{consensus}\" was asked for, but the configuration has no section consensus.{consensus}: leave --consensus out, or initialise with it");
        }

        return configuration with
        {
            Present = configuration.Present
                .Where(component => !component.StartsWith("consensus.", StringComparison.Ordinal) || component == "consensus." + consensus)
                .ToHashSet(StringComparer.Ordinal),
        };
    }

    private static async Task<string> ReadAsync(string path, Action<ConfigurationLogLine> log, CancellationToken cancellationToken)
    {
        try
        {
            return await File.ReadAllTextAsync(path, cancellationToken);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            var reason = Reason(path, error);
            log(new ConfigurationLogLine("ERROR", "config", "error reading the configuration file: " + reason));
            throw new ServiceStartException("loading configurations", reason, error);
        }
    }

    private static async Task<string> FetchAsync(string source, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { Timeout = fetchLimit, MaxResponseContentBufferSize = MaximumBytes };
        client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("ipfs-cluster", "1.1.6"));
        HttpResponseMessage response;
        string body;
        try
        {
            response = await client.GetAsync(new Uri(source), cancellationToken);
            body = Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync(cancellationToken));
        }
        catch (Exception error) when (error is HttpRequestException or UriFormatException or InvalidOperationException
            || (error is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new ConfigurationException("could not fetch configuration from source: " + source, error);
        }

        using (response)
        {
            return (int)response.StatusCode < 300
                ? body
                : throw new ConfigurationException($"unsuccessful request ({(int)response.StatusCode}): {body}");
        }
    }
}
