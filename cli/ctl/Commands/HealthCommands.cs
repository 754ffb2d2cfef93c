using Cluster.CommandLine;
using Cluster.Ctl.Output;
using Cluster.Model;

namespace Cluster.Ctl.Commands;

/// <summary><c>health graph</c>, <c>metrics</c>, <c>alerts</c> and <c>bandwidth</c>.</summary>
internal static class HealthCommands
{
    private static readonly Command Graph = new("graph", "create a graph displaying connectivity of cluster peers")
    {
        Description = Descriptions.HealthGraph,
        Options =
        [
            Option.Text("sets an output dot-file for the connectivity graph", "file", "f"),
            Option.Boolean("causes the graph to mark nodes for ipfs peers not directly in the cluster", "all-ipfs-peers"),
        ],
        Action = Session.Command(async (invocation, session, cancel) =>
        {
            var graph = await session.Client.GraphAsync(cancel);
            var dot = GraphOutput.Write(graph, invocation.Boolean("all-ipfs-peers"));
            if (invocation.Text("file") is not { Length: > 0 } file)
            {
                await invocation.Output.WriteAsync(dot);
                return;
            }

            try
            {
                await File.WriteAllTextAsync(file, dot, cancel);
            }
            catch (Exception e) when (e is DirectoryNotFoundException or FileNotFoundException)
            {
                throw new CommandException("creating output file", $"open {file}: no such file or directory");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new CommandException("creating output file", $"open {file}: {e.Message}");
            }
        }),
    };

    private static readonly Command Metrics = new("metrics", "List latest metrics logged by this peer")
    {
        Description = Descriptions.HealthMetrics,
        Arguments = "<metric name>",
        Action = Session.Command(async (invocation, session, cancel) =>
        {
            if (invocation.Argument(0) is not { Length: > 0 } name)
            {
                var names = await session.Client.MetricNamesAsync(cancel);
                if (session.Json)
                    await JsonOutput.WriteAsync(invocation.Output, names, ModelJson.Write);
                else
                    await invocation.Output.WriteAsync(string.Concat(names.Select(n => n + "\n")));
                return;
            }

            var metrics = await session.Client.MetricsAsync(name, cancel);
            if (session.Json)
            {
                await JsonOutput.WriteAsync(invocation.Output, metrics, static (output, list) =>
                    ModelJson.WriteArray(output, list, ModelJson.Write));
                return;
            }

            var now = GoTime.Now(session.Clock);
            await invocation.Output.WriteAsync(string.Concat(metrics.Select(metric => TextOutput.Metric(metric, now))));
        }),
    };

    private static readonly Command Alerts = new("alerts", "List the latest expired metric alerts")
    {
        Description = Descriptions.HealthAlerts,
        Action = Session.Command(async (invocation, session, cancel) =>
        {
            var alerts = await session.Client.AlertsAsync(cancel);
            if (session.Json)
            {
                await JsonOutput.WriteAsync(invocation.Output, alerts, static (output, list) =>
                    ModelJson.WriteArray(output, list, ModelJson.Write));
                return;
            }

            var now = GoTime.Now(session.Clock);
            await invocation.Output.WriteAsync(string.Concat(alerts.Select(alert => TextOutput.Alert(alert, now))));
        }),
    };

    private static readonly Command Bandwidth = new("bandwidth", "Lists bandwidth stats for libp2p protocols")
    {
        Description = Descriptions.HealthBandwidth,
        Action = Session.Command(async (invocation, session, cancel) =>
        {
            var bandwidth = await session.Client.BandwidthAsync(cancel);
            if (session.Json)
                await JsonOutput.WriteAsync(invocation.Output, bandwidth, ModelJson.Write);
            else if (bandwidth is not null)
                await invocation.Output.WriteAsync(TextOutput.Bandwidth(bandwidth));
        }),
    };

    public static Command Group { get; } = new("health", "Cluster monitoring information") { Subcommands = [Graph, Metrics, Alerts, Bandwidth] };
}
