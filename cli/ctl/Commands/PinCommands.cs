using Cluster.CommandLine;
using Cluster.Ctl.Output;
using Cluster.Model;
using Libp2p;

namespace Cluster.Ctl.Commands;

/// <summary><c>pin add</c>, <c>rm</c>, <c>update</c> and <c>ls</c>.</summary>
internal static class PinCommands
{
    private static readonly Option[] WaitOptions =
    [
        Option.Boolean("Wait for the pin to reach the minimum replication factor before returning", "wait", "w"),
        Option.Integer("How many peers should reach the desired status to finish waiting", "wait-limit", "wl"),
        Option.Duration("How long to --wait (in seconds). Default: forever", "wait-timeout", "wt"),
    ];

    private static readonly Command Add = new("add", "Pin an item in the cluster")
    {
        Description = Descriptions.PinAdd,
        Arguments = "<CID|Path>",
        Options =
        [
            Option.Integer("Sets a custom replication factor (overrides -rmax and -rmin)", "replication", "r"),
            Option.Integer("Sets the minimum replication factor for this pin", "replication-min", "rmin"),
            Option.Integer("Sets the maximum replication factor for this pin", "replication-max", "rmax"),
            Option.Text("Optional comma-separated list of peer IDs", "allocations", "allocs"),
            Option.Text("Sets a name for this pin", "name", "n"),
            Option.Text("Select a way to pin: recursive or direct", "mode") with { Default = "recursive" },
            Option.Text("Duration after which pin should be unpinned automatically", "expire-in"),
            Option.Texts("Pin metadata: key=value. Can be added multiple times", "metadata"),
            Option.Boolean("Prevents fetching pin status after pinning (faster, quieter)", "no-status", "ns"),
            .. WaitOptions,
        ],
        Action = Session.Command(async (invocation, session, cancel) =>
        {
            var both = invocation.Integer("replication");
            var options = new PinOptions
            {
                Replication = both != 0 ? new(both, both) : new(invocation.Integer("replication-min"), invocation.Integer("replication-max")),
                UserAllocations = ParseAllocations(invocation.Text("allocations")),
                Name = invocation.Text("name"),
                Mode = PinModes.Parse(invocation.Text("mode")),
                ExpireAt = ParseExpiry(invocation.Text("expire-in"), session),
                Metadata = ParseMetadata(invocation.Texts("metadata")),
            };
            var pin = await session.Client.PinPathAsync(invocation.Argument(0), options, cancel);
            await PrintResultAsync(invocation, session, pin, TrackerStatus.Pinned, cancel);
        }),
    };

    private static readonly Command Remove = new("rm", "Unpin an item from the cluster")
    {
        Description = Descriptions.PinRemove,
        Arguments = "<CID|Path>",
        Options = [Option.Boolean("Prevents fetching pin status after unpinning (faster, quieter)", "no-status", "ns"), .. WaitOptions],
        Action = Session.Command(async (invocation, session, cancel) =>
        {
            var pin = await session.Client.UnpinPathAsync(invocation.Argument(0), cancel);
            await PrintResultAsync(invocation, session, pin, TrackerStatus.Unpinned, cancel);
        }),
    };

    private static readonly Command Update = new("update", "Pin a new item based on an existing one")
    {
        Description = Descriptions.PinUpdate,
        Arguments = "<existing-CID> <new-CID|Path>",
        Options =
        [
            Option.Text("Sets a name for this updated pin", "name", "n"),
            Option.Text("Duration after which the pin should be unpinned automatically after updating", "expire-in"),
            Option.Boolean("Prevents fetching pin status after updating (faster, quieter)", "no-status", "ns"),
            .. WaitOptions,
        ],
        Action = Session.Command(async (invocation, session, cancel) =>
        {
            var options = new PinOptions
            {
                PinUpdate = StatusCommands.ParseCid(invocation.Argument(0), "parsing from Cid"),
                Name = invocation.Text("name"),
                ExpireAt = ParseExpiry(invocation.Text("expire-in"), session),
            };
            var pin = await session.Client.PinPathAsync(invocation.Argument(1), options, cancel);
            await PrintResultAsync(invocation, session, pin, TrackerStatus.Pinned, cancel);
        }),
    };

    private static readonly Command List = new("ls", "List items in the cluster pinset")
    {
        Description = Descriptions.PinList,
        Arguments = "[CID]",
        Options = [Option.Text("Comma separated list of pin types. See help above.", "filter") with { Default = "all" }],
        Action = Session.Command(async (invocation, session, cancel) =>
        {
            if (invocation.Argument(0) is { Length: > 0 } text)
            {
                await PrintPinAsync(invocation, session, await session.Client.AllocationAsync(StatusCommands.ParseCid(text, "parsing cid"), cancel));
                return;
            }

            // A list without any known name lists everything.
            if (!PinTypes.TryParseFilter(invocation.Text("filter"), out var filter))
                filter = PinType.All;
            await foreach (var pin in session.Client.AllocationsAsync(filter, cancel))
                await PrintPinAsync(invocation, session, pin);
        }),
    };

    public static Command Group { get; } = new("pin", "Pin and unpin and list items in IPFS Cluster") { Subcommands = [Add, Remove, Update, List] };

    /// <summary>The time that <c>--expire-in</c> names; zero without it.</summary>
    public static GoTime ParseExpiry(string text, Session session)
    {
        if (text.Length == 0)
            return GoTime.Zero;
        if (!GoDuration.TryParse(text, out var within, out var error))
            throw new CommandException("parsing expire-in", error);
        return GoTime.FromDateTimeOffset(session.Clock.GetLocalNow()).Add(within);
    }

    /// <summary>Entries given as <c>key=value</c>; null without any.</summary>
    public static Metadata? ParseMetadata(IReadOnlyList<string> entries)
    {
        if (entries.Count == 0)
            return null;
        return Metadata.From(entries.Select(entry =>
        {
            var equals = entry.IndexOf('=', StringComparison.Ordinal);
            return equals < 0
                ? throw new CommandException("parsing metadata", "metadata were not in the format key=value")
                : KeyValuePair.Create(entry[..equals], entry[(equals + 1)..]);
        }));
    }

    private static IReadOnlyList<PeerId>? ParseAllocations(string text)
    {
        if (text.Length == 0)
            return null;
        var texts = text.Split(',', StringSplitOptions.TrimEntries);
        var peers = PinOptionsQuery.ParsePeers(string.Join(',', texts));
        return peers.Count == texts.Length
            ? peers
            : throw new CommandException("decoding allocations", "some peer IDs could not be decoded");
    }

    private static async Task PrintResultAsync(Invocation invocation, Session session, Pin pin, TrackerStatus target, CancellationToken cancel)
    {
        GlobalPinInfo? status = null;
        if (invocation.Boolean("wait"))
        {
            var limit = invocation.IsGiven("wait-limit") ? invocation.Integer("wait-limit")
                : target == TrackerStatus.Pinned ? pin.Options.Replication.Minimum
                : 0;
            status = await PinWait.ForAsync(session, pin.Cid, target, limit, invocation.Duration("wait-timeout"), cancel);
        }

        if (invocation.Boolean("no-status"))
        {
            await PrintPinAsync(invocation, session, pin);
            return;
        }

        if (status is null)
        {
            // What scripts rely on: a second in which daemons usually get done.
            using var pause = new PeriodicTimer(TimeSpan.FromSeconds(1), session.Clock);
            await pause.WaitForNextTickAsync(cancel);
            status = await session.Client.StatusAsync(pin.Cid, local: false, cancel);
        }

        await StatusCommands.PrintAsync(invocation, session, status);
    }

    private static async Task PrintPinAsync(Invocation invocation, Session session, Pin pin)
    {
        if (session.Json)
        {
            await JsonOutput.WriteAsync(invocation.Output, pin, ModelJson.Write);
            return;
        }

        await invocation.Output.WriteAsync(TextOutput.Pin(pin));
        await invocation.Output.FlushAsync();
    }
}
