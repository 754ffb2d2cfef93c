using System.Net;
using System.Runtime.CompilerServices;
using Ipld;
using KuboRpc.Http;
using KuboRpc.Json;

namespace KuboRpc;

public sealed partial class KuboClient
{
    /// <summary>Origins connected to before a pin, at most (spec/behaviour.md 16.2).</summary>
    private const int MaxOrigins = 10;

    private const int MaxShortAnswer = 1024 * 1024;

    /// <summary>
    /// Whether a CID is pinned, directly or with everything below it. What is pinned in the other way, or as a part of another pin,
    /// reads as <see cref="DaemonPinKind.Unpinned"/>.
    /// </summary>
    public async Task<DaemonPinKind> CheckPinAsync(Cid cid, bool direct, CancellationToken cancellationToken = default)
    {
        using var limit = _transport.Limit(_options.RequestTimeout, cancellationToken);
        try
        {
            using var answer = await _transport.PostAsync($"pin/ls?stream=true&arg={cid}&type={(direct ? "direct" : "recursive")}", limit);
            await foreach (var line in answer.ReadValuesAsync())
            {
                foreach (var pin in PinLine.Read(line))
                    return pin.Kind;
            }
        }
        catch (DaemonRefusedException refusal) when (refusal.SaysNotPinned)
        {
            return DaemonPinKind.Unpinned;
        }
        throw new DaemonAnswerException("EOF: the daemon did not say whether the CID is pinned");
    }

    /// <summary>
    /// The daemon's pins of a type (<c>recursive</c>, <c>direct</c>, <c>indirect</c>, <c>all</c>) as they come. Ends at
    /// <see cref="KuboOptions.RequestTimeout"/> without a further pin.
    /// </summary>
    public async IAsyncEnumerable<DaemonPin> ListPinsAsync(string type, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var limit = _transport.Limit(_options.RequestTimeout, cancellationToken);
        using var answer = await _transport.PostAsync($"pin/ls?stream=true&type={JsonFields.Escape(type)}", limit);
        var sinceProgress = 0;
        await foreach (var line in answer.ReadValuesAsync())
        {
            if (++sinceProgress == 64)
            {
                limit.Progressed();
                sinceProgress = 0;
            }
            foreach (var pin in PinLine.Read(line))
                yield return pin;
        }
    }

    /// <summary>
    /// Makes sure that a CID is pinned: looks, connects to the origins, and updates or adds (spec/behaviour.md 16.2). Ends when
    /// nothing more is fetched for <see cref="KuboOptions.PinTimeout"/>; there is no limit of the whole.
    /// </summary>
    public async Task<DaemonPinOutcome> PinAsync(
        DaemonPinRequest request, IProgress<DaemonPinProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var direct = request.MaxDepth == 0;
        var wanted = direct ? DaemonPinKind.Direct : DaemonPinKind.Recursive;
        if (await CheckPinAsync(request.Cid, direct, cancellationToken) == wanted)
            return DaemonPinOutcome.AlreadyPinned;
        _observer.PinStarted();
        try
        {
            ConnectInBackground(request.Origins.Take(MaxOrigins));
            var outcome = request.UpdateFrom is { } from && await TryUpdateAsync(from, request.Cid, cancellationToken)
                ? DaemonPinOutcome.Updated
                : DaemonPinOutcome.Added;
            if (outcome == DaemonPinOutcome.Added)
                await AddPinAsync(request.Cid, request.MaxDepth, progress, cancellationToken);
            _observer.Pinned(request, outcome);
            return outcome;
        }
        finally
        {
            _observer.PinEnded();
        }
    }

    /// <summary>Unpins a CID. What is not pinned, or only as a part of another pin, counts as done.</summary>
    /// <exception cref="UnpinDisabledException">The configuration forbids it.</exception>
    public async Task UnpinAsync(Cid cid, CancellationToken cancellationToken = default)
    {
        if (_options.UnpinDisabled)
            throw new UnpinDisabledException();
        using var limit = _transport.Limit(_options.UnpinTimeout, cancellationToken);
        try
        {
            using var answer = await _transport.PostAsync($"pin/rm?arg={cid}", limit);
            await answer.ReadBytesAsync(MaxShortAnswer);
        }
        catch (DaemonRefusedException refusal) when (refusal.SaysNotPinned || refusal.SaysPinnedIndirectly)
        {
            return;
        }
        _observer.Unpinned(cid);
    }

    /// <summary>True when <c>pin/update</c> did it; false when there is nothing to update from, or the daemon cannot.</summary>
    private async Task<bool> TryUpdateAsync(Cid from, Cid to, CancellationToken cancellationToken)
    {
        try
        {
            if (await CheckPinAsync(from, direct: false, cancellationToken) != DaemonPinKind.Recursive)
                return false;
        }
        catch (KuboException)
        {
            // An update only saves work; pin/add tells what is wrong with the daemon.
            return false;
        }
        using var limit = _transport.Limit(_options.UnpinTimeout, cancellationToken);
        try
        {
            using var answer = await _transport.PostAsync($"pin/update?arg={from}&arg={to}&unpin=false", limit);
            await answer.ReadBytesAsync(MaxShortAnswer);
            return true;
        }
        catch (DaemonRefusedException refusal) when (refusal.IsUnknownCommand || IsOutdated(refusal))
        {
            return false;
        }
    }

    /// <summary>Between the check and the update the source was unpinned or the target pinned.</summary>
    private static bool IsOutdated(DaemonRefusedException refusal) =>
        refusal is { Status: HttpStatusCode.InternalServerError, DaemonMessage: { } message }
        && (message.Contains("not recursively pinned already", StringComparison.Ordinal)
            || message.Contains("already recursively pinned", StringComparison.Ordinal));

    private async Task AddPinAsync(Cid cid, int maxDepth, IProgress<DaemonPinProgress>? progress, CancellationToken cancellationToken)
    {
        var depth = maxDepth switch
        {
            0 => "recursive=false",
            > 0 => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"max-depth={maxDepth}&recursive=true"),
            _ => "recursive=true",
        };
        _observer.PinAddSent();
        using var limit = _transport.PinLimit(_options.PinTimeout, cancellationToken);
        try
        {
            using var answer = await _transport.PostAsync($"pin/add?arg={cid}&{depth}&progress=true", limit);
            long best = 0;
            // The clean end of the stream counts, with or without a line "Pins" (spec/behaviour.md 16.3).
            await foreach (var value in answer.ReadValuesAsync())
            {
                using var line = JsonFields.Parse(value);
                var nodes = JsonFields.Integer(line.RootElement, "Progress");
                if (nodes <= best)
                    continue;
                best = nodes;
                limit.Progressed();
                progress?.Report(new DaemonPinProgress(nodes, JsonFields.Integer(line.RootElement, "Bytes")));
            }
        }
        catch (Exception)
        {
            _observer.PinAddFailed();
            throw;
        }
    }
}
