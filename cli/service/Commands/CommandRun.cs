using Cluster.CommandLine;
using Cluster.Hosting;
using Cluster.Hosting.Logging;
using Cluster.Service.Folder;
using Microsoft.Extensions.Logging;

namespace Cluster.Service.Commands;

/// <summary>What the options before the command make: the folder and the log.</summary>
internal sealed class CommandRun
{
    private CommandRun(PeerFolder folder, LogLevels levels, string logLevels, bool debug, IReadOnlyDictionary<string, string> environment)
    {
        Folder = folder;
        LogLevels = logLevels;
        Debug = debug;
        var output = LogOutput.FromEnvironment(name => environment.GetValueOrDefault(name), TimeProvider.System);
        Loggers = LoggerFactory.Create(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(new FacilityLoggerProvider(levels, output)));
    }

    public PeerFolder Folder { get; }

    /// <summary>The value of <c>--loglevel</c>, for the services.</summary>
    public string LogLevels { get; }

    public bool Debug { get; }

    public ILoggerFactory Loggers { get; }

    public static CommandRun Of(Invocation invocation) => (CommandRun)invocation.State!;

    /// <summary>Reads the options; ends the program when a log level has a wrong shape.</summary>
    public static async Task<int?> BeginAsync(Invocation invocation, CancellationToken cancellationToken)
    {
        var text = invocation.Text("loglevel");
        var debug = invocation.Boolean("debug");
        var environment = invocation.Channels.Environment;
        try
        {
            var goLog = environment.GetValueOrDefault("GOLOG_LOG_LEVEL") ?? environment.GetValueOrDefault("IPFS_LOGGING");
            var levels = Hosting.Logging.LogLevels.Parse(text, debug, goLog, line => invocation.Output.Write(line + "\n"));
            invocation.State = new CommandRun(new PeerFolder(invocation.Text("config")), levels, text, debug, environment);
            return null;
        }
        catch (FormatException error)
        {
            await invocation.Error.WriteAsync(error.Message + "\n");
            return 1;
        }
    }

    /// <summary>Runs a command; what cannot be done is said on standard error, with exit code 1.</summary>
    public static Func<Invocation, CancellationToken, Task<int>> Reporting(Func<Invocation, CommandRun, CancellationToken, Task<int>> command) =>
        async (invocation, cancellationToken) =>
        {
            try
            {
                return await command(invocation, Of(invocation), cancellationToken);
            }
            catch (ServiceStartException error)
            {
                await invocation.Output.FlushAsync(cancellationToken);
                await invocation.Error.WriteAsync(error.Message + "\n");
                return 1;
            }
        };
}
