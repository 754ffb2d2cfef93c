using System.Text;
using Cluster.RestClient;
using Libp2p;

namespace Cluster.Ctl;

/// <summary>HTTP over libp2p streams of the protocol <c>/libp2p-http</c> (spec/ctl.md 1.2). The host is made when it is first
/// needed.</summary>
internal sealed class Libp2pTransport(NetworkSecret? secret) : IAsyncDisposable
{
    private const string Protocol = "/libp2p-http";
    private const string NamePrefix = "dnsaddr=";

    private Libp2pHost? _host;

    /// <param name="secretHex">The cluster secret in hexadecimal; empty outside of private networks.</param>
    public static Libp2pTransport Create(string secretHex) => new(secretHex.Length == 0 ? null : NetworkSecret.FromHex(secretHex));

    /// <summary>The endpoints of an address: one, or those that a <c>/dnsaddr</c> without a peer id stands for.</summary>
    /// <exception cref="RequestException">It names no peer.</exception>
    public async Task<IReadOnlyList<RestEndpoint>> ResolveAsync(Multiaddr address, CancellationToken cancel)
    {
        if (address.PeerId is { } peer)
            return [Create(peer, address)];
        var host = address.Components[0].Value;
        try
        {
            var endpoints = new List<RestEndpoint>();
            foreach (var text in await new Libp2p.Resolving.SystemDnsResolver().ResolveTextAsync("_dnsaddr." + host, cancel))
            {
                if (text.StartsWith(NamePrefix, StringComparison.Ordinal) && Multiaddr.TryParse(text[NamePrefix.Length..], out var found, out _)
                    && found.PeerId is { } named)
                {
                    endpoints.Add(Create(named, found));
                }
            }

            return endpoints.Count > 0 ? endpoints : throw new RequestException("no peers found behind " + address);
        }
        catch (IOException e)
        {
            throw new RequestException($"lookup _dnsaddr.{host}: {e.Message}", e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
            await _host.DisposeAsync();
    }

    private RestEndpoint Create(PeerId peer, Multiaddr address) => new("libp2p", peer.ToString(), async cancel =>
    {
        try
        {
            if (_host is null)
            {
                _host = new Libp2pHost(new HostOptions { Key = PrivateKey.GenerateEd25519(), Secret = secret, AgentVersion = CtlProgram.Name });
                await _host.StartAsync(cancel);
            }

            var connection = await _host.DialAsync(address, cancel);
            return (await connection.NewStreamAsync([Protocol], cancel)).AsStream();
        }
        catch (Libp2p.DialException e)
        {
            throw new RestClient.DialException(Words(peer, e), e);
        }
        catch (ProtocolNotSupportedException e)
        {
            throw new RestClient.DialException($"failed to negotiate protocol: protocols not supported: [{Protocol}]", e);
        }
    });

    // The original's words around the reason.
    private static string Words(PeerId peer, Libp2p.DialException e)
    {
        var text = new StringBuilder($"failed to dial: failed to dial {peer}: ");
        if (e.Attempts.Count == 0)
            return text.Append(e.Message).ToString();
        text.Append("all dials failed");
        foreach (var attempt in e.Attempts)
            text.Append("\n  * [").Append(attempt.Address).Append("] ").Append(Words(peer, attempt, e));
        return text.ToString();
    }

    private static string Words(PeerId peer, DialAttempt attempt, Exception e)
    {
        switch (attempt.Failure)
        {
            case DialFailure.Refused:
                var family = attempt.Address.Ip?.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? "tcp6" : "tcp4";
                var target = attempt.Address.TryGetTcpEndPoint(out var endPoint) ? endPoint.ToString() : attempt.Address.ToString();
                return $"dial {family} {target}: connect: connection refused";
            case DialFailure.OtherPeer:
                var actual = Mismatch(e)?.Actual.ToString() ?? "another one";
                return $"failed to negotiate security protocol: peer id mismatch: expected {peer}, but remote key matches {actual}";
            case DialFailure.OtherNetwork or DialFailure.NoCommonProtocol or DialFailure.HandshakeFailed:
                return "failed to negotiate security protocol: " + attempt.Reason;
            default:
                return attempt.Reason;
        }
    }

    private static PeerMismatchException? Mismatch(Exception? e)
    {
        for (; e is not null; e = e.InnerException)
        {
            if (e is PeerMismatchException mismatch)
                return mismatch;
        }

        return null;
    }
}
