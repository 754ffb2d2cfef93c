using Cluster.CommandLine;
using Cluster.Hosting;
using Cluster.Hosting.Clients;
using Cluster.Hosting.Configuration;
using Cluster.Model;
using Cluster.Model.Configuration;
using Cluster.Service.Folder;
using Cluster.Service.Supervision;

namespace Cluster.Service.Commands;

/// <summary><c>daemon</c>: checks the folder, then runs the services until a signal (spec/service-cli.md 2.2).</summary>
internal static class DaemonCommand
{
    public static Command Create() => new("daemon", "Runs the IPFS Cluster peer (default)")
    {
        Options =
        [
            Option.Boolean("run state migrations before starting (deprecated/unused)", "upgrade", "u"),
            Option.Text("join a cluster providing a comma-separated list of existing peers multiaddress(es)", "bootstrap", "j"),
            Option.Boolean("remove peer from cluster on exit. Overrides \"leave_on_shutdown\"", "leave", "x") with { Hidden = true },
            Option.Text("choose the consensus component: 'crdt' or 'raft'", "consensus") with { Hidden = true },
            Option.Boolean("enable stats collection", "stats"),
            Option.Boolean("enable tracing collection", "tracing"),
            Option.Boolean("do not trust bootstrap peers (only for \"crdt\" consensus)", "no-trust"),
        ],
        Action = CommandRun.Reporting(RunAsync),
    };

    private static async Task<int> RunAsync(Invocation invocation, CommandRun run, CancellationToken cancellationToken)
    {
        Supervisor? supervisor = null;
        using var signals = new StopSignals(
            text => Console.Error.WriteLine(text),
            () =>
            {
                supervisor?.KillAll();
                Environment.Exit(1);
            });
        var logger = run.Loggers.CreateLogger("service");
        SupervisorLog.Initializing(logger);
        var bootstrap = CheckBootstrap(invocation.Text("bootstrap"));
        using var held = ExecutionLock.Take(run.Folder.Root);

        var environment = ServiceEnvironment(invocation, run, bootstrap);
        ClusterConfiguration configuration;
        string? fetched;
        using var loading = CancellationTokenSource.CreateLinkedTokenSource(signals.Stop, cancellationToken);
        try
        {
            (configuration, fetched) = await ConfigurationFile.LoadAsync(
                run.Folder.Root,
                Merged(invocation.Channels.Environment, environment),
                checkTlsFiles: true,
                line => ConfigurationLog.Write(run.Loggers, line, alreadySaid: false),
                loading.Token);
        }
        catch (OperationCanceledException) when (signals.Stop.IsCancellationRequested)
        {
            // A source that does not answer holds nobody up who wants to stop.
            return 0;
        }

        const string unprotected = "Cluster secret is empty, cluster will start on unprotected network.";
        if (configuration.Cluster.Secret.IsEmpty && !configuration.Log.Any(static line => line.Message == unprotected))
            ConfigurationLog.Write(run.Loggers, new ConfigurationLogLine("WARN", "cluster", unprotected), alreadySaid: false);
        await IdentityFile.EnsureAsync(run.Folder, invocation.Channels.Environment, invocation.Error, cancellationToken);
        if (configuration.Consensus.Length == 0)
            throw new ServiceStartException("creating state manager", "could not determine the consensus component");
        if (configuration.Consensus == "crdt")
        {
            if (configuration.Datastore.Length == 0)
                throw new ServiceStartException("creating datastore", "unknown datastore");
            SupervisorLog.Datastore(logger, configuration.Datastore);
        }

        if (!configuration.RunsDiskInformer && !configuration.RunsPinQueueInformer && !configuration.RunsTagsInformer)
            throw new ServiceStartException("starting cluster", "no informers are passed");

        var endpoints = new ServiceEndpoints(run.Folder.Root, name => invocation.Channels.Environment.GetValueOrDefault(name));
        endpoints.CreateSocketFolder();
        if (fetched is not null)
        {
            var path = Path.Combine(endpoints.SocketFolder, "fetched.json");
            PeerFolder.WriteSecret(path, fetched);
            environment[ConfigurationFile.FetchedVariable] = path;
        }

        var token = configuration.Cluster.Secret.IsEmpty ? null : ServiceToken.FromSecret(configuration.Cluster.Secret.Span);
        using var channels = new ServiceChannels(endpoints, token, ServiceTls.FromEnvironment(name => invocation.Channels.Environment.GetValueOrDefault(name)));
        var systemd = new SystemdNotifier(invocation.Channels.Environment.GetValueOrDefault("NOTIFY_SOCKET"), logger);
        supervisor = new Supervisor(environment, new ReadinessCheck(channels), systemd, run.Loggers, TimeProvider.System);
        var code = await supervisor.RunAsync(signals.Stop);
        Directory.Delete(endpoints.SocketFolder, recursive: true);
        return code;
    }

    private static string CheckBootstrap(string list)
    {
        foreach (var item in list.Length == 0 ? [] : list.Split(','))
        {
            // The doubled word is the original's.
            if (!GoAddresses.TryParseMultiaddr(item.Trim(), out _, out var error))
                throw new ServiceStartException($"error parsing bootstrap multiaddress ({item})", error);
        }

        return list;
    }

    /// <summary>What the services are told beside this process' own variables.</summary>
    private static Dictionary<string, string> ServiceEnvironment(Invocation invocation, CommandRun run, string bootstrap)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [ServiceOptions.SupervisedVariable] = "1",
            [ServiceOptions.FolderVariable] = run.Folder.Root,
            [ServiceOptions.LogLevelVariable] = run.LogLevels,
            [ServiceOptions.DebugVariable] = run.Debug ? "1" : "0",
        };
        if (bootstrap.Length > 0)
            environment[ServiceOptions.BootstrapVariable] = bootstrap;
        if (invocation.Boolean("no-trust"))
            environment[ServiceOptions.NoTrustVariable] = "1";
        if (invocation.Boolean("stats"))
            environment["CLUSTER_METRICS_ENABLESTATS"] = "true";
        if (invocation.Boolean("tracing"))
            environment["CLUSTER_TRACING_ENABLETRACING"] = "true";
        if (invocation.Boolean("leave"))
            environment["CLUSTER_LEAVEONSHUTDOWN"] = "true";
        if (invocation.Text("consensus") is { Length: > 0 } consensus)
        {
            environment[ConfigurationFile.ConsensusVariable] = consensus is "crdt" or "raft"
                ? consensus
                : throw new ServiceStartException("choosing consensus", "flag value must be set to 'raft' or 'crdt'");
        }

        // Five runtimes on one machine: no debugger's sockets and threads, and heaps that are collected before they grow (4 MiB).
        foreach (var (name, value) in new[] { ("DOTNET_EnableDiagnostics", "0"), ("DOTNET_GCgen0size", "400000") })
        {
            if (!invocation.Channels.Environment.ContainsKey(name))
                environment[name] = value;
        }

        return environment;
    }

    private static Dictionary<string, string> Merged(IReadOnlyDictionary<string, string> own, Dictionary<string, string> further)
    {
        var merged = new Dictionary<string, string>(own, StringComparer.Ordinal);
        foreach (var (name, value) in further)
            merged[name] = value;
        return merged;
    }
}
