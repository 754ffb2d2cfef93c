using System.Globalization;

namespace Cluster.Service.State;

/// <summary>How far an export or import is: one line on the terminal's error channel, wiped at the end. Scripts never see it.</summary>
internal sealed class TransferProgress : IDisposable
{
    private const int Width = 30;

    private static readonly TimeSpan between = TimeSpan.FromMilliseconds(100);

    private readonly TextWriter _terminal;
    private readonly TimeProvider _clock;
    private readonly string _unit;
    private readonly long _total;
    private long _shownAt;
    private int _shownLength;

    private TransferProgress(TextWriter terminal, TimeProvider clock, string unit, long total)
    {
        _terminal = terminal;
        _clock = clock;
        _unit = unit;
        _total = total;
        _shownAt = clock.GetTimestamp();
    }

    /// <summary>Null where nobody looks, or where the line would run into the data.</summary>
    /// <param name="terminal">The error channel.</param>
    /// <param name="dataOnTerminal">The data themselves come from the terminal or go there.</param>
    /// <param name="unit">What is counted.</param>
    /// <param name="total">How many there are; 0 or less when that is not known.</param>
    public static TransferProgress? Create(TextWriter terminal, bool dataOnTerminal, string unit, long total) =>
        Console.IsErrorRedirected || dataOnTerminal ? null : new TransferProgress(terminal, TimeProvider.System, unit, total);

    /// <summary>Shows the line anew, ten times a second at most; short transfers show none.</summary>
    public void Report(long done)
    {
        if (_clock.GetElapsedTime(_shownAt) < between)
            return;
        _shownAt = _clock.GetTimestamp();
        var line = Line(done, _total, _unit);
        _terminal.Write("\r" + line.PadRight(_shownLength));
        _shownLength = line.Length;
    }

    public void Dispose()
    {
        if (_shownLength > 0)
            _terminal.Write("\r" + new string(' ', _shownLength) + "\r");
        _shownLength = 0;
    }

    internal static string Line(long done, long total, string unit)
    {
        var count = done.ToString("N0", CultureInfo.InvariantCulture);
        if (total <= 0)
            return $" {count} {unit}";
        var share = Math.Clamp((double)done / total, 0, 1);
        var bar = new string('=', (int)(share * Width)).PadRight(Width);
        return string.Create(CultureInfo.InvariantCulture, $" {count} / {total:N0} {unit} [{bar}] {(int)(share * 100)}%");
    }
}
