using System.Security.Cryptography;
using Libp2p.Negotiation;
using Libp2p.PrivateNetwork;
using Libp2p.Security;
using Libp2p.Security.Noise;
using Libp2p.Security.Tls;

namespace Libp2p.Hosting;

/// <summary>An upgrade failed, with its place among the failures of a dial.</summary>
internal sealed class UpgradeException(DialFailure failure, string message, Exception? inner = null) : IOException(message, inner)
{
    public DialFailure Failure { get; } = failure;
}

/// <summary>Makes a secured connection of a raw one: private network, choice of security, handshake, choice of muxer.</summary>
internal sealed class ConnectionUpgrader
{
    private static readonly string[] Muxers = [ProtocolName.Yamux];

    private readonly HostOptions options;
    private readonly ISecurityProtocol[] security;
    private readonly string[] securityNames;

    public ConnectionUpgrader(HostOptions options)
    {
        this.options = options;
        string[] early = options.EarlyMuxer ? Muxers : [];
        var noise = new Lazy<ISecurityProtocol>(() => new NoiseProtocol(options.Key, early));
        var tls = new Lazy<ISecurityProtocol>(() => new TlsProtocol(options.Key, early, options.Time));
        security = options.Security switch
        {
            SecurityProtocols.Noise => [noise.Value],
            SecurityProtocols.Tls => [tls.Value],
            SecurityProtocols.TlsAndNoise => [tls.Value, noise.Value],
            _ => [noise.Value, tls.Value],
        };
        securityNames = [.. security.Select(s => s.Id)];
    }

    /// <summary>Upgrades; on failure the connection is closed.</summary>
    /// <exception cref="UpgradeException">It failed.</exception>
    public async Task<SecuredConnection> UpgradeAsync(RawConnection raw, bool initiator, PeerId? expected, CancellationToken cancellationToken)
    {
        try
        {
            return await UpgradeCoreAsync(raw, initiator, expected, cancellationToken);
        }
        catch
        {
            await raw.Stream.DisposeAsync();
            throw;
        }
    }

    private async Task<SecuredConnection> UpgradeCoreAsync(RawConnection raw, bool initiator, PeerId? expected, CancellationToken cancellationToken)
    {
        var watched = new WatchedStream(raw.Stream);
        Stream stream = watched;
        if (options.Secret is { } secret)
        {
            var nonce = new byte[XSalsa20.NonceSize];
            RandomNumberGenerator.Fill(nonce);
            stream = new PrivateNetworkStream(stream, secret, nonce);
        }
        string name = await ChooseSecurityAsync(stream, watched, initiator, cancellationToken);
        var protocol = security.First(s => s.Id == name);
        try
        {
            var channel = await protocol.SecureAsync(stream, initiator, expected, cancellationToken);
            string muxer = channel.Muxer ?? await ChooseMuxerAsync(channel.Stream, initiator, cancellationToken);
            return new SecuredConnection(channel.Stream, raw.Local, raw.Remote, channel.RemoteKey, name, muxer);
        }
        catch (PeerMismatchException e)
        {
            throw new UpgradeException(DialFailure.OtherPeer, e.Message, e);
        }
        catch (ProtocolNotSupportedException e)
        {
            throw new UpgradeException(DialFailure.NoCommonProtocol, "the peer has no muxer in common: " + e.Message, e);
        }
        catch (IOException e)
        {
            throw new UpgradeException(DialFailure.HandshakeFailed, $"the {name} handshake failed: {e.Message}", e);
        }
    }

    private async Task<string> ChooseSecurityAsync(Stream stream, WatchedStream watched, bool initiator, CancellationToken cancellationToken)
    {
        var channel = new StreamTokenChannel(stream, expectHeader: true);
        try
        {
            return initiator
                ? await Multistream.SelectAsync(channel, securityNames, cancellationToken)
                : await Multistream.AnswerAsync(channel, securityNames.Contains, cancellationToken);
        }
        catch (ProtocolNotSupportedException e)
        {
            throw new UpgradeException(DialFailure.NoCommonProtocol, "the peer has no security protocol in common: " + e.Message, e);
        }
        catch (IOException e) when (!channel.HeaderSeen && (initiator || watched.HasReceived))
        {
            throw OtherNetwork(e);
        }
        catch (IOException e)
        {
            throw new UpgradeException(DialFailure.HandshakeFailed, e.Message, e);
        }
        catch (OperationCanceledException e) when (!channel.HeaderSeen && watched.HasReceived)
        {
            // It sent something, but nothing that could be understood: the way a wrong secret looks.
            throw OtherNetwork(e);
        }
    }

    private UpgradeException OtherNetwork(Exception e) => new(
        DialFailure.OtherNetwork,
        options.Secret is not null
            ? "the peer does not share this cluster's secret (or is not a private-network peer)"
            : "the peer does not answer like a libp2p peer (it may belong to a private network, whose secret is missing here): " + e.Message,
        e);

    private static ValueTask<string> ChooseMuxerAsync(Stream stream, bool initiator, CancellationToken cancellationToken)
    {
        var channel = new StreamTokenChannel(stream);
        return initiator
            ? Multistream.SelectAsync(channel, Muxers, cancellationToken)
            : Multistream.AnswerAsync(channel, Muxers.Contains, cancellationToken);
    }

    /// <summary>Remembers whether the other side sent anything at all.</summary>
    private sealed class WatchedStream(Stream inner) : Transport.LayerStream(inner)
    {
        public bool HasReceived { get; private set; }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = Inner.ReadAsync(buffer, cancellationToken);
            return HasReceived ? read : WatchAsync(read);
        }

        private async ValueTask<int> WatchAsync(ValueTask<int> read)
        {
            int n = await read;
            if (n > 0) HasReceived = true;
            return n;
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            Inner.WriteAsync(buffer, cancellationToken);
    }
}
