namespace Libp2p.Hosting;

/// <summary>What a connection needs of its host.</summary>
internal sealed record ConnectionServices(
    HostOptions Options,
    ResourceLedger Ledger,
    ProtocolHandlers Handlers,
    HostMetrics Metrics,
    HostLog Log,
    Peerstore Peerstore,
    CancellationToken Stopping)
{
    public TimeProvider Time => Options.Time;

    public ProtocolTraffic Traffic(string protocol) => Metrics.Traffic(protocol);

    /// <summary>The first of the protocols that the peer has said it supports.</summary>
    public string? KnownProtocol(PeerId peer, IReadOnlyList<string> protocols)
    {
        var known = Peerstore.Protocols(peer);
        if (known.Count == 0) return null;
        foreach (string protocol in protocols)
        {
            if (known.Contains(protocol)) return protocol;
        }
        return null;
    }
}

/// <summary>A connection with both identities proven, before the muxer.</summary>
internal sealed record SecuredConnection(Stream Stream, Multiaddr Local, Multiaddr Remote, PublicKey RemoteKey, string Security, string? Muxer);
