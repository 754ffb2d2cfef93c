using System.Security.Cryptography;
using Cluster.CommandLine;
using Cluster.Hosting;
using Cluster.Hosting.Configuration;
using Cluster.Model;
using Cluster.Model.Configuration;
using Cluster.Service.Folder;
using Libp2p;
using Microsoft.Extensions.Logging;

namespace Cluster.Service.Commands;

/// <summary><c>init</c>: writes configuration, identity and peerstore (spec/service-cli.md 2.1).</summary>
internal static class InitCommand
{
    public static Command Create() => new("init", "Creates a configuration and generates an identity")
    {
        Description = Texts.Of("init"),
        Arguments = "[http-source-url]",
        Options =
        [
            Option.Text("select consensus: 'crdt' or 'raft'", "consensus") with { Default = "crdt" },
            Option.Text("select datastore: 'badger', 'badger3', 'leveldb' or 'pebble'", "datastore") with { Default = "pebble" },
            Option.Boolean("prompt for the cluster secret (when no source specified)", "custom-secret", "s"),
            Option.Text("comma-separated list of multiaddresses to init with (see help)", "peers"),
            Option.Boolean("overwrite configuration without prompting", "force", "f"),
            Option.Boolean("configure random ports to listen on instead of defaults", "randomports"),
        ],
        Action = CommandRun.Reporting(RunAsync),
    };

    private static async Task<int> RunAsync(Invocation invocation, CommandRun run, CancellationToken cancellationToken)
    {
        var consensus = invocation.Text("consensus");
        var datastore = invocation.Text("datastore");
        if (consensus is not ("crdt" or "raft"))
            throw new ServiceStartException("choosing consensus", "flag value must be set to 'raft' or 'crdt'");
        if (datastore is not ("pebble" or "badger" or "badger3" or "leveldb"))
            throw new ServiceStartException("choosing datastore", "flag value must be set to 'leveldb', 'badger', 'badger3' or 'pebble'");

        var folder = run.Folder;
        var exists = PeerFolder.MayExist(folder.Configuration);
        using var held = exists || PeerFolder.MayExist(folder.Identity) ? ExecutionLock.Take(folder.Root) : null;
        if (exists && !invocation.Boolean("force")
            && !await Confirmation.AskAsync(invocation, "The configuration file will be overwritten.", cancellationToken))
            return 0;

        var source = invocation.Argument(0);
        var peers = ParsePeers(invocation.Text("peers"));
        var surroundings = new ConfigurationSurroundings
        {
            Folder = folder.Root,
            Environment = invocation.Channels.Environment,
            HostName = Environment.MachineName,
        };
        var configuration = Configure(consensus, datastore, invocation.Boolean("randomports"), surroundings);
        if (invocation.Boolean("custom-secret") && source.Length == 0)
            configuration = configuration with { Cluster = configuration.Cluster with { Secret = await AskSecretAsync(invocation, run, cancellationToken) } };
        if (peers.Count > 0)
            configuration = ConfigurationTemplate.WithPeers(configuration, [.. peers.Select(static p => p.PeerId).OfType<PeerId>().Distinct()]);

        await WriteAsync(invocation, run, source, configuration, peers, cancellationToken);
        return 0;
    }

    private static ClusterConfiguration Configure(string consensus, string datastore, bool randomPorts, ConfigurationSurroundings surroundings)
    {
        var configuration = ConfigurationTemplate.Defaults(consensus, datastore, RandomNumberGenerator.GetBytes(32), surroundings);
        if (randomPorts)
            configuration = RandomPorts.Assign(configuration);
        try
        {
            return ConfigurationLoader.ApplyEnvironment(configuration, surroundings);
        }
        catch (ConfigurationException error)
        {
            throw new ServiceStartException("applying environment variables to configuration", error.Message, error);
        }
    }

    private static List<Multiaddr> ParsePeers(string list)
    {
        var peers = new List<Multiaddr>();
        if (list.Length == 0)
            return peers;
        foreach (var item in list.Split(','))
        {
            var text = item.Trim();
            if (!GoAddresses.TryParseMultiaddr(text, out var address, out var error))
                throw new ServiceStartException("parsing peer multiaddress", $"{text}: {error}");
            peers.Add(address);
        }

        return peers;
    }

    private static async Task<ReadOnlyMemory<byte>> AskSecretAsync(Invocation invocation, CommandRun run, CancellationToken cancellationToken)
    {
        const string prefix = "error loading cluster secret from config: ";
        await invocation.Output.WriteAsync("Enter cluster secret (32-byte hex string): ");
        await invocation.Output.FlushAsync(cancellationToken);
        var text = (await invocation.Channels.Input.ReadLineAsync(cancellationToken) ?? "").Trim();
        try
        {
            var secret = ClusterSection.ParseSecret(text);
            if (secret.IsEmpty)
                InitLog.Unprotected(run.Loggers.CreateLogger("cluster"));
            return secret;
        }
        catch (ConfigurationException error)
        {
            var cause = error.Message.StartsWith(prefix, StringComparison.Ordinal) ? error.Message[prefix.Length..] : error.Message;
            throw new ServiceStartException("parsing user-provided secret", cause, error);
        }
    }

    private static async Task WriteAsync(
        Invocation invocation, CommandRun run, string source, ClusterConfiguration configuration, List<Multiaddr> peers, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var folder = run.Folder;
        var logger = run.Loggers.CreateLogger("config");
        Try("saving the configuration", folder.Root, () => PeerFolder.Create(folder.Root));

        InitLog.SavingConfiguration(logger);
        var text = source.Length > 0 ? ConfigurationTemplate.SourceOnly(source) : configuration.ToJson();
        Try("saving default configuration", folder.Configuration, () => PeerFolder.WriteSecret(folder.Configuration, text));
        await invocation.Error.WriteAsync($"configuration written to {folder.Configuration}.\n");

        if (!File.Exists(folder.Identity))
        {
            var identity = NewIdentity(invocation.Channels.Environment);
            InitLog.SavingIdentity(logger);
            Try("saving " + folder.Identity, folder.Identity, () => PeerFolder.WriteSecret(folder.Identity, identity.ToJson()));
            await invocation.Error.WriteAsync($"new identity written to {folder.Identity}\n");
        }

        if (peers.Any(static peer => peer.PeerId is null))
            throw new ServiceStartException("getting AddrInfos from peer multiaddresses", "invalid p2p multiaddr");
        var peerstore = configuration.Cluster.PeerstorePath;
        var lines = string.Concat(peers.Select(static peer => peer + "\n"));
        Try("writing the peerstore", peerstore, () => PeerFolder.WritePublic(peerstore, lines));
        await invocation.Error.WriteAsync(
            peers.Count > 0 ? $"peerstore written to {peerstore} with {peers.Count} entries.\n" : $"new empty peerstore written to {peerstore}.\n");
    }

    private static Identity NewIdentity(IReadOnlyDictionary<string, string> environment)
    {
        try
        {
            return ClusterIdentity.ApplyEnvironment(Identity.Generate(), environment);
        }
        catch (ConfigurationException error)
        {
            const string prefix = "error ";
            // The message has its own beginning.
            var text = error.Message.StartsWith(prefix, StringComparison.Ordinal) ? error.Message[prefix.Length..] : error.Message;
            var colon = text.IndexOf(": ", StringComparison.Ordinal);
            throw new ServiceStartException(text[..colon], text[(colon + 2)..], error);
        }
    }

    private static void Try(string doing, string path, Action write)
    {
        try
        {
            write();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ServiceStartException(doing, ConfigurationFile.Reason(path, error), error);
        }
    }
}

internal static partial class InitLog
{
    [LoggerMessage(EventId = 8101, Level = LogLevel.Information, Message = "Saving configuration")]
    public static partial void SavingConfiguration(ILogger config);

    [LoggerMessage(EventId = 8102, Level = LogLevel.Information, Message = "Saving identity")]
    public static partial void SavingIdentity(ILogger config);

    [LoggerMessage(EventId = 8103, Level = LogLevel.Warning, Message = "Cluster secret is empty, cluster will start on unprotected network.")]
    public static partial void Unprotected(ILogger cluster);
}
