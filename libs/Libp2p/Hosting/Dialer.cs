using System.Collections.Concurrent;
using Libp2p.Resolving;

namespace Libp2p.Hosting;

/// <summary>
/// Reaches a peer over the best of its addresses: several are tried side by side, staggered, and the first that is secured wins.
/// Callers that want the same peer at the same addresses at the same time share one dial.
/// </summary>
internal sealed class Dialer(
    HostOptions options,
    IReadOnlyList<ITransport> transports,
    ConnectionUpgrader upgrader,
    HostMetrics metrics,
    HostLog log)
{
    private const int MaxConcurrent = 8;
    private const int MaxAddresses = 128;

    private readonly ConcurrentDictionary<PeerId, Dial> underWay = new();
    private readonly DialBackoff backoff = new(options.Time);
    private readonly AddressResolver resolver = new(options.Dns ?? new SystemDnsResolver());

    public bool CanDial(Multiaddr address) => AddressResolver.HasName(address) || transports.Any(t => t.CanDial(address));

    public Task<IReadOnlyList<Multiaddr>> ResolveAsync(Multiaddr address, CancellationToken cancellationToken) => resolver.ResolveAsync(address, cancellationToken);

    /// <summary>A dial under way, with what it tries.</summary>
    private sealed class Dial(IReadOnlyList<Multiaddr> addresses, bool ignoreBackoff, Func<Dial, Task<PeerConnection>> run)
    {
        private readonly Lock gate = new();
        private Task<PeerConnection>? result;

        private IReadOnlyList<Multiaddr> Addresses => addresses;

        private bool IgnoresBackoff => ignoreBackoff;

        /// <summary>Begins with the first that asks.</summary>
        public Task<PeerConnection> Result
        {
            get
            {
                lock (gate) return result ??= run(this);
            }
        }

        /// <summary>Whether it tries all that another one would.</summary>
        public bool Covers(Dial other) => (ignoreBackoff || !other.IgnoresBackoff) && other.Addresses.All(addresses.Contains);
    }

    /// <summary>Dials, or joins a dial of the same peer that tries as much.</summary>
    /// <param name="peer">Whom to reach.</param>
    /// <param name="addresses">Where.</param>
    /// <param name="ignoreBackoff">Whether addresses are tried that failed lately.</param>
    /// <param name="connected">The connection to the peer that there is, if any.</param>
    /// <param name="adopt">Takes what was secured.</param>
    /// <param name="stopping">The host's end.</param>
    /// <param name="cancellationToken">The end of the caller's patience.</param>
    public async Task<PeerConnection> DialAsync(
        PeerId peer, IReadOnlyList<Multiaddr> addresses, bool ignoreBackoff, Func<PeerConnection?> connected, Func<SecuredConnection, Task<PeerConnection>> adopt,
        CancellationToken stopping, CancellationToken cancellationToken)
    {
        var own = new Dial(addresses, ignoreBackoff, dial => Task.Run(async () =>
        {
            try
            {
                // The dial of another caller may have ended since this one saw that there is no connection.
                return connected() ?? await DialNowAsync(peer, addresses, ignoreBackoff, adopt, stopping);
            }
            finally
            {
                underWay.TryRemove(new KeyValuePair<PeerId, Dial>(peer, dial));
            }
        }, CancellationToken.None));
        // A caller that gives up leaves the dial to the others; the host's end and the timeout bound it.
        var joined = underWay.AddOrUpdate(peer, own, (_, present) => present.Covers(own) ? present : own);
        return await joined.Result.WaitAsync(cancellationToken);
    }

    private async Task<PeerConnection> DialNowAsync(
        PeerId peer, IReadOnlyList<Multiaddr> addresses, bool ignoreBackoff, Func<SecuredConnection, Task<PeerConnection>> adopt, CancellationToken stopping)
    {
        using var activity = HostActivities.Source.StartActivity("libp2p.dial");
        activity?.SetTag("peer", peer.ToString());
        using var limit = new CancellationTokenSource(options.DialTimeout, options.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping);
        try
        {
            var ranked = await PrepareAsync(peer, addresses, ignoreBackoff, both.Token);
            var secured = await RaceAsync(peer, ranked, both.Token);
            backoff.Succeeded(peer);
            metrics.Dialled("ok");
            return await adopt(secured);
        }
        catch (DialException e)
        {
            metrics.Dialled(e.Failure.ToString());
            log.DialFailed(peer, e.Message);
            activity?.SetStatus(System.Diagnostics.ActivityStatusCode.Error, e.Message);
            throw;
        }
        catch (ResourceLimitException e)
        {
            throw new DialException(peer, DialFailure.LimitReached, e.Message);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            throw new DialException(peer, DialFailure.TimedOut, $"its addresses were not resolved within {options.DialTimeout.TotalSeconds:0.#} s.");
        }
    }

    private async Task<List<(Multiaddr Address, TimeSpan Delay)>> PrepareAsync(
        PeerId peer, IReadOnlyList<Multiaddr> addresses, bool ignoreBackoff, CancellationToken cancellationToken)
    {
        if (addresses.Count == 0) throw new DialException(peer, DialFailure.NoAddresses, "no address of it is known.");
        var resolved = new List<Multiaddr>();
        foreach (var address in addresses)
        {
            foreach (var found in await resolver.ResolveAsync(address, cancellationToken))
            {
                // A record may name another peer than the one that is wanted.
                if (found.PeerId is { } named && named != peer) continue;
                resolved.Add(found.WithoutPeer());
            }
        }
        if (resolved.Count == 0)
            throw new DialException(peer, DialFailure.Unresolved, $"no address was found for {string.Join(", ", addresses)}.");
        var dialable = resolved.Where(a => transports.Any(t => t.CanDial(a))).Take(MaxAddresses).ToList();
        if (dialable.Count == 0)
            throw new DialException(peer, DialFailure.NoDialableAddresses, $"none of its addresses can be dialled: {string.Join(", ", resolved)}.");
        if (!ignoreBackoff)
        {
            var blocked = dialable.Where(a => backoff.IsBlocked(peer, a)).ToList();
            if (blocked.Count == dialable.Count)
                throw new DialException(peer, [.. blocked.Select(a => new DialAttempt(a, DialFailure.Backoff, "it failed a short while ago (dial backoff)"))], null);
            dialable.RemoveAll(blocked.Contains);
        }
        return AddressRanking.Rank(dialable);
    }

    private async Task<SecuredConnection> RaceAsync(PeerId peer, List<(Multiaddr Address, TimeSpan Delay)> ranked, CancellationToken cancellationToken)
    {
        using var race = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = new Dictionary<Task<SecuredConnection>, Multiaddr>();
        var attempts = new List<DialAttempt>();
        Exception? firstError = null;
        long started = options.Time.GetTimestamp();
        int next = 0;
        try
        {
            while (next < ranked.Count || running.Count > 0)
            {
                // With nothing under way the next address is due at once, whatever its delay.
                while (next < ranked.Count && running.Count < MaxConcurrent
                    && (running.Count == 0 || options.Time.GetElapsedTime(started) >= ranked[next].Delay))
                {
                    var address = ranked[next++].Address;
                    running.Add(AttemptAsync(peer, address, race.Token), address);
                }
                Task finished;
                // With the end of the race no further one begins: those under way end on their own.
                if (next < ranked.Count && running.Count < MaxConcurrent && !race.IsCancellationRequested)
                {
                    var wait = ranked[next].Delay - options.Time.GetElapsedTime(started);
                    using var timer = CancellationTokenSource.CreateLinkedTokenSource(race.Token);
                    var delay = Task.Delay(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, options.Time, timer.Token);
                    finished = await Task.WhenAny([.. running.Keys, delay]);
                    await timer.CancelAsync();
                    if (finished == delay) continue;
                }
                else
                {
                    finished = await Task.WhenAny(running.Keys);
                }
                var attempt = (Task<SecuredConnection>)finished;
                var tried = running[attempt];
                running.Remove(attempt);
                try
                {
                    return await attempt;
                }
                catch (Exception e)
                {
                    firstError ??= e;
                    attempts.Add(Explain(tried, e));
                    if (!race.IsCancellationRequested || e is not OperationCanceledException) backoff.Failed(peer, tried);
                }
            }
            throw new DialException(peer, attempts, firstError);
        }
        finally
        {
            await race.CancelAsync();
            // The losers end soon; a late winner among them is closed.
            foreach (var loser in running.Keys) _ = DiscardAsync(loser);
        }
    }

    private static async Task DiscardAsync(Task<SecuredConnection> loser)
    {
        try
        {
            await (await loser).Stream.DisposeAsync();
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // It lost anyway.
        }
    }

    private async Task<SecuredConnection> AttemptAsync(PeerId peer, Multiaddr address, CancellationToken cancellationToken)
    {
        var transport = transports.First(t => t.CanDial(address));
        var raw = await transport.DialAsync(address, cancellationToken);
        using var abort = cancellationToken.UnsafeRegister(static state => ((Stream)state!).Dispose(), raw.Stream);
        try
        {
            return await upgrader.UpgradeAsync(raw, initiator: true, peer, cancellationToken);
        }
        catch (IOException e) when (cancellationToken.IsCancellationRequested && e is not UpgradeException { Failure: DialFailure.OtherNetwork })
        {
            throw new OperationCanceledException("The dial was given up.", e, cancellationToken);
        }
    }

    private DialAttempt Explain(Multiaddr address, Exception e) => e switch
    {
        UpgradeException u => new DialAttempt(address, u.Failure, u.Message),
        TransportException t => new DialAttempt(
            address,
            t.Failure switch
            {
                TransportFailure.Refused => DialFailure.Refused,
                TransportFailure.Unreachable => DialFailure.Unreachable,
                TransportFailure.TimedOut => DialFailure.TimedOut,
                _ => DialFailure.Other,
            },
            t.Message),
        OperationCanceledException => new DialAttempt(address, DialFailure.TimedOut, $"no connection within {options.DialTimeout.TotalSeconds:0.#} s"),
        _ => new DialAttempt(address, DialFailure.Other, e.Message),
    };
}
