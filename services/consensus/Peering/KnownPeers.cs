using Libp2p;
using Microsoft.Extensions.Logging;

namespace Cluster.Consensus.Peering;

/// <summary>
/// The peers that this one knows where to find: those of the configuration, those of the <c>peerstore</c> file, and whom it met
/// (spec/config.md 1.2, spec/libp2p.md 13). They are in order of priority: configured, then as in the file, then the rest.
/// </summary>
public sealed class KnownPeers(Libp2pHost host, PeeringSettings settings, ILogger logger)
{
    /// <summary>Longest time that one look at the name servers takes.</summary>
    private static readonly TimeSpan ResolvePatience = TimeSpan.FromSeconds(5);

    /// <summary>Between two looks for a name that could not be resolved: the name servers may come up after this peer.</summary>
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly Dictionary<PeerId, int> _priorities = [];
    private readonly Dictionary<PeerId, List<Multiaddr>> _imported = [];

    // Addresses without a peer (/dnsaddr/…): what they stand for is looked up, and they themselves are what the file keeps.
    private readonly List<Multiaddr> _names = [];
    private string? _saved;

    /// <summary>Peers of the configuration or the command line: they are tried for ever.</summary>
    public bool IsConfigured(PeerId peer)
    {
        lock (_lock)
            return _priorities.TryGetValue(peer, out var priority) && priority == 0;
    }

    /// <summary>All with an address, the most important first.</summary>
    public IReadOnlyList<PeerId> InOrder()
    {
        var peers = host.Peerstore.PeersWithAddresses();
        lock (_lock)
            return [.. peers.Where(p => p != host.Id).OrderBy(p => _priorities.GetValueOrDefault(p, int.MaxValue)).ThenBy(p => p)];
    }

    /// <summary>Where a peer may be found; what the file once said, when nothing newer is known.</summary>
    public IReadOnlyList<Multiaddr> AddressesOf(PeerId peer)
    {
        if (host.Peerstore.Addresses(peer) is { Count: > 0 } known)
            return known;
        lock (_lock)
            return _imported.TryGetValue(peer, out var imported) ? [.. imported] : [];
    }

    /// <summary>Peers of the configuration and the file whose addresses ran out: nobody else would name them again.</summary>
    public IReadOnlyList<PeerId> Forgotten()
    {
        lock (_lock)
            return [.. _imported.Keys.Where(p => p != host.Id && host.Peerstore.Addresses(p).Count == 0)];
    }

    /// <summary>Keeps a peer's address for good, and prefers it (a peer that the user named).</summary>
    public void Prefer(Multiaddr address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (address.PeerId is not { } peer || peer == host.Id)
            return;
        host.Peerstore.AddAddress(address, AddressTtl.Permanent);
        lock (_lock)
            _priorities[peer] = 0;
    }

    /// <summary>Takes in the configured addresses, then the file. Names that lead to peers are left to <see cref="ResolveNamesAsync"/>.</summary>
    public async Task ImportAsync(CancellationToken cancellationToken)
    {
        foreach (var address in settings.Cluster.PeerAddresses.Concat(settings.Bootstrap))
        {
            if (address.PeerId is not null)
                Prefer(address);
        }

        var lines = await ReadFileAsync(cancellationToken);
        foreach (var address in PeerstoreFile.Usable(lines))
            Import(address);
        lock (_lock)
            _names.AddRange(lines.Where(a => a.PeerId is null).Distinct());
    }

    /// <summary>Looks up the peers behind names without a peer (<c>/dnsaddr/…</c>) until each has led to some.</summary>
    /// <param name="found">Told when there are new ones.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    public async Task ResolveNamesAsync(Action found, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(found);
        List<(Multiaddr Name, Action<Multiaddr> Take)> open =
            [.. settings.Cluster.PeerAddresses.Concat(settings.Bootstrap).Where(a => a.PeerId is null).Distinct().Select(name => (name, (Action<Multiaddr>)Prefer))];
        lock (_lock)
            open.AddRange(_names.Select(name => (name, (Action<Multiaddr>)Import)));
        while (open.Count > 0)
        {
            foreach (var (name, take) in open.ToArray())
            {
                var addresses = await ResolveAsync(name, cancellationToken);
                if (addresses.Count == 0)
                    continue;
                open.Remove((name, take));
                foreach (var address in addresses)
                    take(address);
                found();
            }

            if (open.Count > 0)
                await Task.Delay(BetweenLooks, host.Options.Time, cancellationToken);
        }
    }

    /// <summary>Writes the file, if there is anything new to write. It is replaced as a whole or not at all.</summary>
    public async Task SaveAsync(CancellationToken cancellationToken)
    {
        var text = PeerstoreFile.Format(ToKeep());
        if (text == _saved)
            return;
        var path = settings.Cluster.PeerstorePath;
        if (path.Length == 0)
            return;
        var draft = path + ".new";
        try
        {
            await File.WriteAllTextAsync(draft, text, cancellationToken);
            File.Move(draft, path, overwrite: true);
            _saved = text;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            PeeringLog.PeerstoreNotSaved(logger, path, e.Message);
        }
    }

    /// <summary>Every peer with where it is; of one with names the names only, as the addresses behind them change.</summary>
    internal IReadOnlyList<Multiaddr> ToKeep()
    {
        var addresses = new List<Multiaddr>();
        lock (_lock)
            addresses.AddRange(_names);
        foreach (var peer in InOrder().Concat(Forgotten()))
            addresses.AddRange(AddressesOf(peer).Order(AddressOrder).Select(a => a.WithPeer(peer)));
        return [.. addresses.Where(a => a.PeerId is null), .. PeerstoreFile.Usable(addresses)];
    }

    private static readonly Comparer<Multiaddr> AddressOrder =
        Comparer<Multiaddr>.Create(static (a, b) => string.CompareOrdinal(a.ToString(), b.ToString()));

    private void Import(Multiaddr address)
    {
        if (address.PeerId is not { } peer || peer == host.Id)
            return;
        host.Peerstore.AddAddress(address, AddressTtl.Imported);
        lock (_lock)
        {
            _priorities.TryAdd(peer, _priorities.Count + 1);
            if (!_imported.TryGetValue(peer, out var known))
                _imported.Add(peer, known = []);
            known.Add(address.WithoutPeer());
        }
    }

    private async Task<IReadOnlyList<Multiaddr>> ReadFileAsync(CancellationToken cancellationToken)
    {
        var path = settings.Cluster.PeerstorePath;
        try
        {
            if (path.Length == 0 || !File.Exists(path))
                return [];
            _saved = await File.ReadAllTextAsync(path, cancellationToken);
            return PeerstoreFile.Parse(_saved, (line, reason) => PeeringLog.PeerstoreLineDamaged(logger, line, reason));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            PeeringLog.PeerstoreNotRead(logger, path, e.Message);
            return [];
        }
    }

    private async Task<IReadOnlyList<Multiaddr>> ResolveAsync(Multiaddr name, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(ResolvePatience, host.Options.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            var found = (await host.ResolveAsync(name, both.Token)).Where(a => a.PeerId is not null).ToList();
            if (found.Count == 0)
                PeeringLog.NameWithoutPeers(logger, name);
            return found;
        }
        catch (Exception e) when (e is IOException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            PeeringLog.NameNotResolved(logger, name, e.Message);
            return [];
        }
    }
}
