using System.Collections.Immutable;

namespace Libp2p.Hosting;

/// <summary>Who answers which protocol.</summary>
internal sealed class ProtocolHandlers
{
    internal sealed record Handler(Func<PeerStream, CancellationToken, Task> Serve, int? MaxInboundPerPeer);

    private ImmutableDictionary<string, Handler> handlers = ImmutableDictionary<string, Handler>.Empty;

    /// <summary>Names, sorted by their bytes as Go does.</summary>
    public IReadOnlyList<string> Names => [.. handlers.Keys.Order(StringComparer.Ordinal)];

    public void Set(string protocol, Handler handler) => ImmutableInterlocked.AddOrUpdate(ref handlers, protocol, handler, (_, _) => handler);

    public bool Remove(string protocol) => ImmutableInterlocked.TryRemove(ref handlers, protocol, out _);

    public bool Supports(string protocol) => handlers.ContainsKey(protocol);

    public Handler? Find(string protocol) => handlers.GetValueOrDefault(protocol);
}
