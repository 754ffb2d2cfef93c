using Cluster.CommandLine;
using Cluster.Hosting;
using Cluster.Hosting.Configuration;
using Cluster.Model.Configuration;
using Cluster.PinState;
using Cluster.Service.Commands;
using Cluster.Service.Folder;
using Cluster.Storage;
using CommandOption = Cluster.CommandLine.Option;

namespace Cluster.Service.State;

/// <summary>The configuration of a peer that does not run, and the place of its state.</summary>
internal sealed class OfflinePeer
{
    private OfflinePeer(PeerFolder folder, ClusterConfiguration configuration)
    {
        Folder = folder;
        Configuration = configuration;
    }

    /// <summary>Which consensus component's state, when the configuration has both; scripts for old versions name it.</summary>
    public static CommandOption ConsensusOption => CommandOption.Text("the consensus component: 'crdt' or 'raft'", "consensus") with { Hidden = true };

    public PeerFolder Folder { get; }

    public ClusterConfiguration Configuration { get; }

    public bool IsCrdt => Configuration.Consensus == "crdt";

    /// <summary>Reads the configuration and the identity, as the daemon does.</summary>
    /// <exception cref="ServiceStartException">One of them is missing or wrong.</exception>
    public static async Task<OfflinePeer> LoadAsync(Invocation invocation, CommandRun run, string consensus, CancellationToken cancellationToken)
    {
        var environment = invocation.Channels.Environment;
        if (consensus.Length > 0)
        {
            if (consensus is not ("crdt" or "raft"))
                throw new ServiceStartException("choosing consensus", "flag value must be set to 'raft' or 'crdt'");
            environment = new Dictionary<string, string>(environment, StringComparer.Ordinal) { [ConfigurationFile.ConsensusVariable] = consensus };
        }

        var (configuration, _) = await ConfigurationFile.LoadAsync(
            run.Folder.Root, environment, checkTlsFiles: true, line => ConfigurationLog.Write(run.Loggers, line, alreadySaid: false), cancellationToken);
        await IdentityFile.EnsureAsync(run.Folder, environment, invocation.Error, cancellationToken);
        if (configuration.Consensus.Length == 0)
            throw new ServiceStartException("creating state manager", "could not determine the consensus component");
        if (configuration.Consensus == "crdt" && configuration.Datastore.Length == 0)
            throw new ServiceStartException("creating state manager", "unknown datastore");
        return new OfflinePeer(run.Folder, configuration);
    }

    /// <summary>Opens the database; an empty one when there is none.</summary>
    /// <exception cref="ServiceStartException">It cannot be opened; most often a service of this folder still has it open.</exception>
    public Database OpenDatabase()
    {
        try
        {
            return Database.Open(PinStore.FolderIn(Folder.Root), new DatabaseOptions { Format = PinStore.Format });
        }
        catch (StorageException error)
        {
            throw new ServiceStartException("creating datastore", error.Message, error);
        }
    }
}
