using Cluster.CommandLine;
using Cluster.Ctl.Output;
using Cluster.Model;
using Cluster.RestClient;

namespace Cluster.Ctl.Commands;

/// <summary><c>add</c>.</summary>
internal static class AddCommand
{
    private const string DefaultHash = "sha2-256";

    // Without the option to set it, the original's client still sends it, and pins show it.
    private const ulong ShardSize = 100 * 1024 * 1024;

    public static Command Create() => new("add", "Add a file or directory to ipfs and pin it in the cluster")
    {
        Description = Descriptions.Add,
        Arguments = "<path>",
        Options =
        [
            Option.Boolean("Add directory paths recursively", "recursive", "r"),
            Option.Boolean("Write only hashes to output (one per line)", "quiet", "q"),
            Option.Boolean("Write only final hash to output", "quieter", "Q"),
            Option.Boolean("Buffer output locally. Produces a valid JSON array with --enc=json.", "no-stream"),
            Option.Boolean("Add to local peer but pin normally", "local"),
            Option.Text("Sets a name for this pin", "name", "n"),
            Option.Integer("Sets the minimum replication factor for pinning this file", "replication-min", "rmin"),
            Option.Integer("Sets the maximum replication factor for pinning this file", "replication-max", "rmax"),
            Option.Text("Duration after which the pin should be unpinned automatically", "expire-in"),
            Option.Texts("Pin metadata: key=value. Can be added multiple times", "metadata"),
            Option.Text("Optional comma-separated list of peer IDs", "allocations", "allocs"),
            Option.Boolean("Do not pin after adding", "no-pin"),
            Option.Boolean("Wait for the pin to reach the minimum replication factor before returning", "wait"),
            Option.Duration("How long to --wait (in seconds). Default: forever", "wait-timeout", "wt"),
            Option.Boolean("Wrap a with a directory object", "wrap-with-directory", "w"),
            Option.Text("'unixfs' (add as unixfs DAG), 'car' (import CAR file)", "format") with { Default = "unixfs" },
            Option.Text("Dag layout to use for dag generation: balanced or trickle", "layout"),
            Option.Boolean("Include files that are hidden.  Only takes effect on recursive add", "hidden", "H"),
            Option.Text("'size-<size>' or 'rabin-<min>-<avg>-<max>'", "chunker", "s") with { Default = "size-262144" },
            Option.Boolean("Use raw blocks for leaves (experimental)", "raw-leaves"),
            Option.Integer("CID version. Non default implies raw-leaves", "cid-version"),
            Option.Text("Hash function to use. Implies cid-version=1", "hash") with { Default = DefaultHash },
            Option.Boolean("Add the URL using filestore. Implies raw-leaves. (experimental)", "nocopy"),
        ],
        Action = Session.Command(RunAsync),
    };

    private static async Task RunAsync(Invocation invocation, Session session, CancellationToken cancel)
    {
        if (invocation.Arguments.Count == 0)
            throw new CommandException(string.Empty, "need at least one path");
        var parameters = Parameters(invocation, session);
        var sources = UploadSources.Open(
            invocation.Arguments, invocation.Boolean("recursive"), invocation.Boolean("hidden"), session.Endpoints);

        var quieter = invocation.Boolean("quieter");
        var collect = invocation.Boolean("no-stream");
        var progress = AddProgress.Create(sources, quiet: quieter || invocation.Boolean("quiet") || session.Json);
        var upload = new MultipartUpload(sources.PartsAsync(cancel)) { Progress = progress is null ? null : progress.Report };
        var collected = new List<AddedOutput>();
        AddedOutput? last = null;
        try
        {
            await foreach (var added in session.Client.AddAsync(parameters, upload, cancel))
            {
                if (!added.Cid.IsDefined)
                    continue; // progress of the peer
                last = added;
                if (quieter)
                    continue;
                if (collect)
                {
                    collected.Add(added);
                    continue;
                }

                progress?.Clear();
                await PrintAsync(invocation, session, added);
            }
        }
        finally
        {
            progress?.Clear();
        }

        if (quieter && last is not null)
            collected.Add(last);
        if (collect && session.Json)
            await JsonOutput.WriteAsync(invocation.Output, collected, static (output, list) => ModelJson.WriteArray(output, list, ModelJson.Write));
        else
        {
            foreach (var added in collected)
                await PrintAsync(invocation, session, added);
        }

        if (!invocation.Boolean("wait") || last is null)
            return;
        await invocation.Output.FlushAsync(cancel);
        var pin = await session.Client.AllocationAsync(last.Cid, cancel);
        await PinWait.ForAsync(
            session, last.Cid, TrackerStatus.Pinned, pin.Options.Replication.Minimum, invocation.Duration("wait-timeout"), cancel);
    }

    private static GoQuery Parameters(Invocation invocation, Session session)
    {
        var options = new PinOptions
        {
            Name = invocation.Text("name"),
            Replication = new(invocation.Integer("replication-min"), invocation.Integer("replication-max")),
            ExpireAt = PinCommands.ParseExpiry(invocation.Text("expire-in"), session),
            Metadata = PinCommands.ParseMetadata(invocation.Texts("metadata")),
            UserAllocations = PinOptionsQuery.ParsePeers(invocation.Text("allocations")),
            ShardSize = ShardSize,
        };
        var wrap = invocation.Boolean("wrap-with-directory") || invocation.Arguments.Count > 1;
        var format = invocation.Text("format");
        if (format == "car" && wrap)
            throw new CommandException(string.Empty, "only a single CAR file can be added and wrap-with-directory is not supported");

        var hash = invocation.Text("hash");
        var version = hash != DefaultHash ? "1" : invocation.Integer("cid-version").ToString(System.Globalization.CultureInfo.InvariantCulture);
        var nocopy = invocation.Boolean("nocopy");
        var rawLeaves = invocation.Boolean("raw-leaves") || nocopy || hash != DefaultHash || invocation.Integer("cid-version") > 0;
        return PinOptionsQuery.ToValues(options)
            .Set("shard", "false")
            .Set("local", Text(invocation.Boolean("local")))
            .Set("recursive", Text(invocation.Boolean("recursive")))
            .Set("layout", invocation.Text("layout"))
            .Set("chunker", invocation.Text("chunker"))
            .Set("raw-leaves", Text(rawLeaves))
            .Set("hidden", Text(invocation.Boolean("hidden")))
            .Set("wrap-with-directory", Text(wrap))
            .Set("progress", "false")
            .Set("cid-version", version)
            .Set("hash", hash)
            .Set("stream-channels", "true")
            .Set("nocopy", Text(nocopy))
            .Set("no-pin", Text(invocation.Boolean("no-pin")))
            .Set("format", format);
    }

    private static string Text(bool value) => value ? "true" : "false";

    private static async Task PrintAsync(Invocation invocation, Session session, AddedOutput added)
    {
        if (session.Json)
        {
            await JsonOutput.WriteAsync(invocation.Output, added, ModelJson.Write);
            return;
        }

        var quiet = invocation.Boolean("quiet") || invocation.Boolean("quieter");
        await invocation.Output.WriteAsync(quiet ? added.Cid + "\n" : $"added {added.Cid} {added.Name}\n");
        await invocation.Output.FlushAsync();
    }
}
