using Cluster.CommandLine;
using Cluster.Hosting;
using Cluster.Hosting.Configuration;
using Cluster.PinState.Transfer;
using Cluster.Service.Folder;
using Cluster.Service.State;
using Cluster.Storage;
using Libp2p;
using Microsoft.Extensions.Logging;

namespace Cluster.Service.Commands;

/// <summary>
/// <c>state import</c>: puts another pinset in place of the peer's (spec/service-cli.md 2.4). The whole input is read and checked first:
/// anything wrong in it leaves the state as it was, where the original has emptied it by then.
/// </summary>
internal static class StateImportCommand
{
    public static Command Create() => new("import", "load the state from a file produced by 'export'")
    {
        Description = Texts.Of("import"),
        Options =
        [
            Option.Boolean("skips confirmation prompt", "force", "f"),
            Option.Integer("Overwrite replication-factor-min for all pins on import", "replication-min", "rmin"),
            Option.Integer("Overwrite replication-factor-max for all pins on import", "replication-max", "rmax"),
            Option.Text("Overwrite allocations for all pins on import. Comma-separated list of peer IDs", "allocations", "allocs"),
            OfflinePeer.ConsensusOption,
        ],
        Action = CommandRun.Reporting(RunAsync),
    };

    private static async Task<int> RunAsync(Invocation invocation, CommandRun run, CancellationToken cancellationToken)
    {
        using var held = ExecutionLock.Take(run.Folder.Root);
        if (!invocation.Boolean("force")
            && !await Confirmation.AskAsync(invocation, "The pinset (state) of this peer will be replaced.", cancellationToken))
            return 0;

        var peer = await OfflinePeer.LoadAsync(invocation, run, invocation.Text("consensus"), cancellationToken);
        await using var input = await OpenAsync(invocation, cancellationToken);
        using var database = peer.OpenDatabase();
        try
        {
            using var progress = TransferProgress.Create(
                invocation.Error, dataOnTerminal: input is not FileStream && !Console.IsInputRedirected, "bytes", input is FileStream { CanSeek: true } file ? file.Length : 0);
            var counted = new CountedStream(input, done => progress?.Report(done));
            await PinsetReplacement.ImportAsync(peer, database, counted, OptionsOf(invocation), cancellationToken);
        }
        catch (Exception error) when (error is FormatException or IOException or StorageException)
        {
            throw new ServiceStartException("importing state", error.Message, error);
        }

        StateLog.Imported(run.Loggers.CreateLogger("service"));
        return 0;
    }

    private static StateImportOptions OptionsOf(Invocation invocation)
    {
        var allocations = new List<PeerId>();
        foreach (var text in invocation.Text("allocations").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            // What is no peer id is left out without a word, as the original does.
            if (PeerId.TryParse(text, out var peer, out _))
                allocations.Add(peer);
        }

        return new StateImportOptions
        {
            ReplicationMinimum = invocation.Integer("replication-min"),
            ReplicationMaximum = invocation.Integer("replication-max"),
            Allocations = allocations,
        };
    }

    private static async Task<Stream> OpenAsync(Invocation invocation, CancellationToken cancellationToken)
    {
        var path = invocation.Argument(0);
        if (path.Length == 0)
        {
            await invocation.Output.WriteAsync("reading from stdin, Ctrl-D to finish\n");
            await invocation.Output.FlushAsync(cancellationToken);
            return invocation.Channels.InputBytes;
        }

        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.SequentialScan);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ServiceStartException("reading import file", ConfigurationFile.Reason(path, error), error);
        }
    }
}
