using System.Buffers;
using System.Text;
using Cluster.Hosting.Logging;
using Microsoft.Extensions.Logging;

namespace Cluster.Hosting.Tests;

public sealed class LoggingTests
{
    [Theory]
    [InlineData("", "cluster", LogLevel.Information)]
    [InlineData("", "basichost", LogLevel.Error)]
    [InlineData("", "observations", LogLevel.Error)]
    [InlineData("", "pebble", LogLevel.Warning)]
    [InlineData("", "libp2p-raft", LogLevel.Critical)]
    [InlineData("debug", "cluster", LogLevel.Debug)]
    [InlineData("debug", "pebble", LogLevel.Warning)]
    [InlineData("debug", "basichost", LogLevel.Error)]
    [InlineData("info,cluster:debug", "cluster", LogLevel.Debug)]
    [InlineData("info,cluster:debug", "crdt", LogLevel.Information)]
    [InlineData("cluster:debug", "crdt", LogLevel.Information)]
    [InlineData("basichost:WARNING", "basichost", LogLevel.Warning)]
    [InlineData("critical", "cluster", LogLevel.Error)]
    [InlineData("cluster:debug,cluster:fatal", "cluster", LogLevel.Critical)]
    public void Levels_follow_the_flag(string flag, string facility, LogLevel expected) =>
        Assert.Equal(expected, LogLevels.Parse(flag, debug: false, null, _ => { }).Of(facility));

    [Fact]
    public void Debug_raises_every_facility_above_all_else() =>
        Assert.All(new[] { "cluster", "pebble", "anything" }, f => Assert.Equal(LogLevel.Debug, LogLevels.Parse("error", debug: true, "fatal", _ => { }).Of(f)));

    [Fact]
    public void The_variable_reaches_libraries_but_not_the_cluster()
    {
        var levels = LogLevels.Parse("", debug: false, "warn,swarm2=debug,basichost=info", _ => { });
        Assert.Equal(LogLevel.Warning, levels.Of("anything"));
        Assert.Equal(LogLevel.Information, levels.Of("basichost"));
        Assert.Equal(LogLevel.Error, levels.Of("swarm2"));
        Assert.Equal(LogLevel.Information, levels.Of("cluster"));
    }

    [Fact]
    public void A_facility_named_twice_is_told_and_one_colon_too_many_refused()
    {
        var said = new List<string>();
        LogLevels.Parse("a:info,a:debug", debug: false, null, said.Add);
        Assert.Equal(["overwriting existing a log level"], said);
        Assert.Throws<FormatException>(() => LogLevels.Parse("a:b:c", debug: false, null, _ => { }));
    }

    [Fact]
    public void Lines_have_the_original_form()
    {
        var time = new DateTimeOffset(2024, 1, 2, 3, 4, 5, 67, TimeSpan.Zero);
        Assert.Equal(
            "2024-01-02T03:04:05.067Z\tINFO\tcluster\tcluster/Ready:1\t** IPFS Cluster is READY **\n",
            Line(LogFormat.Plain, time, LogLevel.Information, "** IPFS Cluster is READY **"));
        Assert.Equal(
            "2024-01-02T03:04:05.067-0330\tWARN\tcluster\tcluster/Ready:1\tm\t{\"error\":\"a <b> \\\"c\\\"\"}\n",
            Line(LogFormat.Plain, time.ToOffset(TimeSpan.Zero).Subtract(TimeSpan.Zero) is var t ? new DateTimeOffset(t.DateTime, new TimeSpan(-3, -30, 0)) : t, LogLevel.Warning, "m", ("error", "a <b> \"c\"")));
        Assert.Equal(
            "2024-01-02T03:04:05.067Z\t\u001b[31mERROR\u001b[0m\tcluster\tcluster/Ready:1\tm\n",
            Line(LogFormat.Color, time, LogLevel.Error, "m"));
        Assert.Equal(
            "{\"level\":\"debug\",\"ts\":\"2024-01-02T03:04:05.067Z\",\"logger\":\"cluster\",\"caller\":\"cluster/Ready:1\",\"msg\":\"m\",\"k\":\"v\"}\n",
            Line(LogFormat.Json, time, LogLevel.Debug, "m", ("k", "v")));
    }

    [Fact]
    public void The_variables_choose_file_format_and_labels()
    {
        var path = Path.GetTempFileName();
        try
        {
            var variables = new Dictionary<string, string?> { ["GOLOG_FILE"] = path, ["GOLOG_LOG_FMT"] = "json", ["GOLOG_LOG_LABELS"] = "app=a,dc=b" };
            using (var output = LogOutput.FromEnvironment(name => variables.GetValueOrDefault(name), TimeProvider.System))
            using (var provider = new FacilityLoggerProvider(LogLevels.Default, output))
            {
                var logger = provider.CreateLogger("cluster");
                logger.Log(LogLevel.Information, new EventId(7, "Hello"), "hi", null, (s, _) => s);
                logger.Log(LogLevel.Debug, default, "not this", null, (s, _) => s);
                provider.CreateLogger("Grpc.AspNetCore.Server.X").Log(LogLevel.Warning, default, "nor this", null, (s, _) => s);
            }

            var line = Assert.Single(File.ReadAllLines(path));
            Assert.Contains("\"logger\":\"cluster\",\"caller\":\"cluster/Hello.cs:7\",\"msg\":\"hi\",\"app\":\"a\",\"dc\":\"b\"}", line, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static string Line(LogFormat format, DateTimeOffset time, LogLevel level, string message, params (string, string)[] fields)
    {
        var buffer = new ArrayBufferWriter<byte>();
        LogLine.Write(buffer, format, time, level, "cluster", "cluster/Ready:1", message, [.. fields.Select(f => KeyValuePair.Create(f.Item1, f.Item2))]);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
