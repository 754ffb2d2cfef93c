using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Libp2p.Tests;

/// <summary>Keeps what is logged, for tests that ask whether a refusal says why.</summary>
internal sealed class TestLog : ILogger
{
    public ConcurrentQueue<(int Id, LogLevel Level, string Text)> Lines { get; } = new();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Enqueue((eventId.Id, logLevel, formatter(state, exception) + (exception is null ? "" : $" ({exception})")));

    public override string ToString() => string.Join('\n', Lines.Select(line => $"{line.Id} {line.Text}"));
}
