using System.Buffers;
using Microsoft.Extensions.Logging;

namespace Cluster.Hosting.Logging;

/// <summary>
/// Where the log lines of a process go: standard error unless the <c>GOLOG_*</c> variables say otherwise (spec/observability.md 5.1).
/// Each line is one write, so that lines of several processes on one stream do not mix.
/// </summary>
public sealed class LogOutput : IDisposable
{
    private readonly Lock gate = new();
    private readonly ArrayBufferWriter<byte> line = new(1024);
    private readonly IReadOnlyList<Stream> streams;
    private readonly IReadOnlyList<KeyValuePair<string, string>> labels;
    private readonly LogFormat format;
    private readonly TimeProvider clock;

    /// <summary>An output to the given streams.</summary>
    /// <param name="streams">Where lines go; disposed with this object.</param>
    /// <param name="format">How they look.</param>
    /// <param name="labels">Fields of every line.</param>
    /// <param name="clock">Tells the time and its zone.</param>
    public LogOutput(IReadOnlyList<Stream> streams, LogFormat format, IReadOnlyList<KeyValuePair<string, string>> labels, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(streams);
        ArgumentNullException.ThrowIfNull(clock);
        this.streams = streams;
        this.format = format;
        this.labels = labels;
        this.clock = clock;
    }

    /// <summary>The output that the environment asks for.</summary>
    public static LogOutput FromEnvironment(Func<string, string?> environment, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(environment);
        var file = environment("GOLOG_FILE");
        var kinds = environment("GOLOG_OUTPUT") is { Length: > 0 } outputs ? outputs.Split('+') : file is { Length: > 0 } ? ["file"] : ["stderr"];
        var streams = new List<Stream>();
        var terminal = false;
        foreach (var kind in kinds.Distinct())
        {
            switch (kind)
            {
                case "stderr":
                    streams.Add(Console.OpenStandardError());
                    terminal |= !Console.IsErrorRedirected;
                    break;
                case "stdout":
                    streams.Add(Console.OpenStandardOutput());
                    terminal |= !Console.IsOutputRedirected;
                    break;
                case "file" when file is { Length: > 0 }:
                    // Appending: the processes of a peer share the file.
                    streams.Add(new FileStream(file, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0));
                    break;
            }
        }

        var format = (environment("GOLOG_LOG_FMT") ?? environment("IPFS_LOGGING_FMT")) switch
        {
            "color" => LogFormat.Color,
            "nocolor" => LogFormat.Plain,
            "json" => LogFormat.Json,
            _ => terminal ? LogFormat.Color : LogFormat.Plain,
        };
        var labels = (environment("GOLOG_LOG_LABELS") ?? "").Split(',')
            .Select(static pair => pair.Split('=', 2))
            .Where(static pair => pair.Length == 2)
            .Select(static pair => KeyValuePair.Create(pair[0], pair[1]))
            .ToArray();
        return new LogOutput(streams, format, labels, clock);
    }

    /// <summary>Writes a line.</summary>
    public void Write(LogLevel level, string facility, string caller, string message, IReadOnlyList<KeyValuePair<string, string>> fields)
    {
        lock (gate)
        {
            line.ResetWrittenCount();
            LogLine.Write(line, format, clock.GetLocalNow(), level, facility, caller, message, labels.Count == 0 ? fields : [.. labels, .. fields]);
            foreach (var stream in streams)
            {
                try
                {
                    stream.Write(line.WrittenSpan);
                    stream.Flush();
                }
                catch (IOException)
                {
                    // A reader that went away must not stop the process; there is nowhere left to report it.
                }
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (gate)
        {
            foreach (var stream in streams)
                stream.Dispose();
        }
    }
}
