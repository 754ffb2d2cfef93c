using Cluster.Ctl.Output;

namespace Cluster.Ctl.Commands;

/// <summary>How much was sent, on one line of the terminal's error channel that is wiped at the end. Scripts never see it.</summary>
internal sealed class AddProgress
{
    private const int Width = 24;

    private readonly long _total;
    private readonly Lock _gate = new();
    private long _shownAt;
    private bool _shown;

    private AddProgress(long total) => _total = total;

    /// <summary>Null where nobody looks: output into files and pipes, quiet and JSON output.</summary>
    public static AddProgress? Create(UploadSources sources, bool quiet) =>
        quiet || Console.IsErrorRedirected || Console.IsOutputRedirected ? null : new AddProgress(sources.TotalBytes());

    public void Report(long sent)
    {
        lock (_gate)
        {
            var now = Environment.TickCount64;
            if (_shown && now - _shownAt < 100)
                return;
            (_shown, _shownAt) = (true, now);
            var share = _total <= 0 ? 0 : Math.Clamp((double)sent / _total, 0, 1);
            var bar = new string('=', (int)(share * Width)).PadRight(Width);
            Console.Error.Write($"\r {Humanized.Bytes((ulong)sent)} / {Humanized.Bytes((ulong)Math.Max(_total, sent))} [{bar}] {share:P0}   ");
        }
    }

    public void Clear()
    {
        lock (_gate)
        {
            if (!_shown)
                return;
            Console.Error.Write("\r" + new string(' ', 78) + "\r");
            _shown = false;
        }
    }
}
