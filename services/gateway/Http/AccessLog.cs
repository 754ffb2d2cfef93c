using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Http;

/// <summary>One line a request in Apache's common log format (<c>spec/observability.md</c> section 5.3), to a logger or to a file.</summary>
public sealed class AccessLog : IAsyncDisposable
{
    // A file that cannot keep up slows the requests down instead of losing lines; one that cannot be written at all, as on a full disk,
    // loses them instead of stopping the peer.
    private const int MostPendingLines = 4096;

    private const int MostBytesAtOnce = 64 * 1024;

    private readonly ILogger logger;
    private readonly TimeProvider time;
    private readonly Channel<string>? lines;
    private readonly Task writing = Task.CompletedTask;

    /// <summary>Logs to a facility, at level info.</summary>
    public AccessLog(ILogger logger, TimeProvider time)
    {
        this.logger = logger;
        this.time = time;
    }

    /// <summary>Logs to a file, which is appended to and made with mode 0644.</summary>
    /// <param name="path">The file.</param>
    /// <param name="logger">Told when lines cannot be written.</param>
    /// <param name="time">For the lines.</param>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public AccessLog(string path, ILogger logger, TimeProvider time)
    {
        this.logger = logger;
        this.time = time;
        var options = new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite,
            Options = FileOptions.Asynchronous,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        lines = Channel.CreateBounded<string>(new BoundedChannelOptions(MostPendingLines) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });
        try
        {
            writing = WriteLinesAsync(new FileStream(path, options), path, lines.Reader);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new IOException($"open {path}: no such file or directory", error);
        }
        catch (UnauthorizedAccessException error)
        {
            throw new IOException($"open {path}: permission denied", error);
        }
    }

    /// <summary>Whether anybody reads the lines.</summary>
    public bool IsEnabled => lines is not null || logger.IsEnabled(LogLevel.Information);

    /// <summary>Logs an answered request.</summary>
    public ValueTask WriteAsync(Exchange exchange)
    {
        ArgumentNullException.ThrowIfNull(exchange);
        string line = Format(exchange.RemoteAddress?.ToString(), time.GetLocalNow(), exchange.Method, exchange.RawTarget, exchange.Protocol, exchange.Status, exchange.BytesWritten);
        if (lines is not null) return lines.Writer.WriteAsync(line);
        GatewayLog.Access(logger, line);
        return ValueTask.CompletedTask;
    }

    /// <summary>One line, with its end.</summary>
    public static string Format(string? client, DateTimeOffset at, string method, string target, string protocol, int status, long bytes)
    {
        string offset = at.Offset.ToString("hhmm", CultureInfo.InvariantCulture);
        char sign = at.Offset < TimeSpan.Zero ? '-' : '+';
        return string.Create(CultureInfo.InvariantCulture, $"{client ?? "-"} - - [{at:dd/MMM/yyyy:HH:mm:ss} {sign}{offset}] \"{Quoted(method)} {Quoted(target)} {protocol}\" {status} {bytes}\n");
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        lines?.Writer.TryComplete();
        await writing.ConfigureAwait(false);
    }

    /// <summary>A client must not be able to write lines of its own into the log.</summary>
    private static string Quoted(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\0', '\u001f') && !text.AsSpan().ContainsAny('"', '\\', '\u007f')) return text;
        var quoted = new StringBuilder(text.Length + 8);
        foreach (char c in text)
        {
            if (c is '"' or '\\') quoted.Append('\\').Append(c);
            else if (c < ' ' || c == '\u007f') quoted.Append(CultureInfo.InvariantCulture, $"\\x{(int)c:x2}");
            else quoted.Append(c);
        }

        return quoted.ToString();
    }

    private async Task WriteLinesAsync(FileStream file, string path, ChannelReader<string> reader)
    {
        bool failing = false;
        using var bytes = new ByteBuffer(MostBytesAtOnce);
        await using (file.ConfigureAwait(false))
        {
            while (await reader.WaitToReadAsync().ConfigureAwait(false))
            {
                bytes.Truncate();
                while (bytes.Length < MostBytesAtOnce && reader.TryRead(out string? line)) bytes.Append(Encoding.UTF8.GetBytes(line));
                try
                {
                    await file.WriteAsync(bytes.WrittenMemory).ConfigureAwait(false);
                    failing = false;
                }
                catch (IOException error)
                {
                    if (!failing) GatewayLog.AccessLogFailed(logger, path, error.Message);
                    failing = true;
                }
            }
        }
    }
}
