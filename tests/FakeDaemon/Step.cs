using System.Text;

namespace FakeDaemon;

/// <summary>What a fake daemon does next on a connection.</summary>
public abstract record Step
{
    /// <summary>Writes bytes.</summary>
    public sealed record Send(ReadOnlyMemory<byte> Bytes) : Step;

    /// <summary>Waits.</summary>
    public sealed record Pause(TimeSpan Time) : Step;

    /// <summary>Does what the test wants, and goes on when that has ended.</summary>
    public sealed record Do(Func<CancellationToken, Task> Act) : Step;

    /// <summary>Resets the connection.</summary>
    public sealed record Reset : Step;

    /// <summary>Does nothing more, and keeps the connection open.</summary>
    public sealed record Hang : Step;

    /// <summary>Closes the connection in order.</summary>
    public sealed record Close : Step;

    /// <summary>Writes text as UTF-8.</summary>
    public static Step Text(string text) => new Send(Encoding.UTF8.GetBytes(text));

    /// <summary>A whole answer with a length, and the connection kept.</summary>
    public static IReadOnlyList<Step> Answer(int status, string body, string contentType = "application/json") =>
        [Text($"HTTP/1.1 {status} Status\r\nContent-Type: {contentType}\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}")];

    /// <summary>An answer 200 in chunks, with the trailer X-Stream-Error when there is a late error.</summary>
    public static IReadOnlyList<Step> Streamed(IEnumerable<string> chunks, string? lateError = null) =>
    [
        Text("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTrailer: X-Stream-Error\r\nTransfer-Encoding: chunked\r\n\r\n"),
        .. chunks.Select(chunk => Text($"{Encoding.UTF8.GetByteCount(chunk):x}\r\n{chunk}\r\n")),
        Text(lateError == null ? "0\r\n\r\n" : $"0\r\nX-Stream-Error: {lateError}\r\n\r\n"),
    ];
}
