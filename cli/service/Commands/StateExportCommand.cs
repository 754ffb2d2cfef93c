using System.Buffers;
using Cluster.CommandLine;
using Cluster.Hosting;
using Cluster.Hosting.Configuration;
using Cluster.PinState;
using Cluster.PinState.Transfer;
using Cluster.Service.Folder;
using Cluster.Service.State;
using Cluster.Storage;
using Microsoft.Extensions.Logging;

namespace Cluster.Service.Commands;

/// <summary><c>state export</c>: the pinset as one JSON pin a line (spec/service-cli.md 2.3).</summary>
internal static class StateExportCommand
{
    public static Command Create() => new("export", "save the state to a JSON file")
    {
        Description = Texts.Of("export"),
        Options = [Option.Text("writes to an output file", "file", "f"), OfflinePeer.ConsensusOption],
        Action = CommandRun.Reporting(RunAsync),
    };

    private static async Task<int> RunAsync(Invocation invocation, CommandRun run, CancellationToken cancellationToken)
    {
        using var held = ExecutionLock.Take(run.Folder.Root);
        var peer = await OfflinePeer.LoadAsync(invocation, run, invocation.Text("consensus"), cancellationToken);
        using var database = peer.OpenDatabase();
        var path = invocation.Text("file");
        await using var file = path.Length > 0 ? Create(path) : null;
        try
        {
            await WriteAsync(PinStore.Open(database), invocation, file, cancellationToken);
        }
        catch (Exception error) when (error is IOException or StorageException or InvalidDataException)
        {
            throw new ServiceStartException("exporting state", error.Message, error);
        }

        StateLog.Exported(run.Loggers.CreateLogger("service"));
        return 0;
    }

    private static async Task WriteAsync(PinStore store, Invocation invocation, FileStream? file, CancellationToken cancellationToken)
    {
        var output = file ?? invocation.Channels.OutputBytes;
        using var progress = TransferProgress.Create(
            invocation.Error, dataOnTerminal: file is null && !Console.IsOutputRedirected, "pins", (long)store.Totals.Count);
        using var export = new StateExport(store);
        var buffer = new ArrayBufferWriter<byte>(128 << 10);
        while (export.WriteSome(buffer, 64 << 10))
        {
            await output.WriteAsync(buffer.WrittenMemory, cancellationToken);
            buffer.ResetWrittenCount();
            progress?.Report(export.Count);
        }

        // A backup that is told of is on the disk.
        await output.FlushAsync(cancellationToken);
        if (file is { CanSeek: true })
            file.Flush(flushToDisk: true);
    }

    internal static FileStream Create(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ServiceStartException("creating output file", ConfigurationFile.Reason(path, error), error);
        }
    }
}
