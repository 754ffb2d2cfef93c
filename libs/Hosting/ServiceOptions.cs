using Cluster.Hosting.Logging;

namespace Cluster.Hosting;

/// <summary>
/// What a service is told at its start. The supervisor tells by variables, so that no path of the user stands in the command line
/// of a service; flags are for people and containers.
/// </summary>
public sealed class ServiceOptions
{
    /// <summary>Set by the supervisor: the service ends with its standard input.</summary>
    public const string SupervisedVariable = "CLUSTER_SUPERVISED";

    /// <summary>Everything at debug level.</summary>
    public const string DebugVariable = "CLUSTER_DEBUG";

    /// <summary>The configuration folder.</summary>
    public const string FolderVariable = "IPFS_CLUSTER_PATH";

    /// <summary>The value of <c>--loglevel</c>.</summary>
    public const string LogLevelVariable = "IPFS_CLUSTER_LOG_LEVEL";

    /// <summary>Multiaddresses that consensus joins after its start, separated by commas.</summary>
    public const string BootstrapVariable = "CLUSTER_BOOTSTRAP";

    /// <summary>Set to 1: the peers of <see cref="BootstrapVariable"/> are not trusted.</summary>
    public const string NoTrustVariable = "CLUSTER_BOOTSTRAP_NOTRUST";

    private ServiceOptions(ServiceName service, string folder, LogLevels levels, bool supervised, IReadOnlyDictionary<string, string> environment)
    {
        Service = service;
        Folder = folder;
        LogLevels = levels;
        Supervised = supervised;
        Environment = environment;
    }

    /// <summary>Which service this is.</summary>
    public ServiceName Service { get; }

    /// <summary>The configuration folder, absolute.</summary>
    public string Folder { get; }

    /// <summary>The levels of the log.</summary>
    public LogLevels LogLevels { get; }

    /// <summary>Whether a supervisor holds this process' standard input.</summary>
    public bool Supervised { get; }

    /// <summary>The variables of the process.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; }

    /// <summary>The variables of this process.</summary>
    public static IReadOnlyDictionary<string, string> ProcessEnvironment() => System.Environment.GetEnvironmentVariables()
        .Cast<System.Collections.DictionaryEntry>()
        .ToDictionary(static entry => (string)entry.Key, static entry => (string?)entry.Value ?? "", StringComparer.Ordinal);

    /// <summary>A variable; null when it is not set.</summary>
    public string? Variable(string name) => Environment.GetValueOrDefault(name);

    /// <summary>Reads flags and variables.</summary>
    /// <exception cref="ServiceStartException">A flag is unknown or lacks its value, or a level has a wrong shape.</exception>
    public static ServiceOptions Read(ServiceName service, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        ArgumentNullException.ThrowIfNull(service);
        ArgumentNullException.ThrowIfNull(arguments);
        ArgumentNullException.ThrowIfNull(environment);
        var folder = environment.GetValueOrDefault(FolderVariable);
        var levels = environment.GetValueOrDefault(LogLevelVariable) ?? "";
        var debug = environment.GetValueOrDefault(DebugVariable) is "1" or "true";
        for (var i = 0; i < arguments.Count; i++)
        {
            var (flag, value) = arguments[i].Split('=', 2) is [var name, var rest] ? (name, rest) : (arguments[i], null);
            switch (flag)
            {
                case "--config" or "-c":
                    folder = value ?? Next(ref i);
                    break;
                case "--loglevel" or "-l":
                    levels = value ?? Next(ref i);
                    break;
                case "--debug" or "-d":
                    debug = true;
                    break;
                default:
                    throw new ServiceStartException("reading the arguments", $"unknown argument {arguments[i]}: there are --config FOLDER, --loglevel LEVELS and --debug");
            }
        }

        string Next(ref int i) => ++i < arguments.Count
            ? arguments[i]
            : throw new ServiceStartException("reading the arguments", $"{arguments[i - 1]} needs a value");

        if (string.IsNullOrEmpty(folder))
        {
            var home = environment.GetValueOrDefault("HOME") is { Length: > 0 } set ? set : System.Environment.GetFolderPath(System.Environment.SpecialFolder.UserProfile);
            folder = Path.Combine(home, ".ipfs-cluster");
        }

        try
        {
            var parsed = LogLevels.Parse(levels, debug, environment.GetValueOrDefault("GOLOG_LOG_LEVEL") ?? environment.GetValueOrDefault("IPFS_LOGGING"), static _ => { });
            return new ServiceOptions(service, Path.GetFullPath(folder), parsed, environment.GetValueOrDefault(SupervisedVariable) == "1", environment);
        }
        catch (FormatException error)
        {
            throw new ServiceStartException("reading the log level", error.Message, error);
        }
    }
}
