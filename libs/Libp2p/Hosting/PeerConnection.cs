using Libp2p.Hosting;
using Libp2p.Muxing;
using Libp2p.Negotiation;

namespace Libp2p;

/// <summary>A secured connection to another peer, which carries any number of streams.</summary>
public sealed class PeerConnection
{
    private readonly YamuxSession session;
    private readonly ConnectionServices services;
    private readonly TaskCompletionSource identified = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int streams;

    internal PeerConnection(ConnectionServices services, YamuxSession session, SecuredConnection secured, bool inbound)
    {
        this.services = services;
        this.session = session;
        RemoteKey = secured.RemoteKey;
        LocalAddress = secured.Local;
        RemoteAddress = secured.Remote;
        Security = secured.Security;
        IsInbound = inbound;
        Opened = services.Time.GetUtcNow();
    }

    /// <summary>The peer at the other end.</summary>
    public PeerId RemotePeer => RemoteKey.PeerId;

    /// <summary>Its public key, proven by the handshake.</summary>
    public PublicKey RemoteKey { get; }

    /// <summary>This side's address.</summary>
    public Multiaddr LocalAddress { get; }

    /// <summary>The other side's address.</summary>
    public Multiaddr RemoteAddress { get; }

    /// <summary>Whether the other side dialled.</summary>
    public bool IsInbound { get; }

    /// <summary>The security protocol in use.</summary>
    public string Security { get; }

    /// <summary>When it was secured.</summary>
    public DateTimeOffset Opened { get; }

    /// <summary>The last measured round trip; zero if none was yet.</summary>
    public TimeSpan RoundTrip => session.RoundTrip;

    /// <summary>Open streams, both directions.</summary>
    public int StreamCount => Volatile.Read(ref streams);

    /// <summary>Completes with the reason when the connection has ended.</summary>
    public Task<Exception> Closed => session.Closed;

    /// <summary>Whether it has not ended.</summary>
    public bool IsOpen => !session.HasEnded;

    /// <summary>Completes when the other side has told who it is, or has failed to.</summary>
    public Task Identified => identified.Task;

    internal TimeProvider Time => services.Time;

    internal YamuxSession Session => session;

    internal void SetIdentified() => identified.TrySetResult();

    /// <summary>Opens a stream and agrees on the first of the protocols that the other side supports.</summary>
    /// <param name="protocols">Protocols in order of preference.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="ProtocolNotSupportedException">The other side supports none of them.</exception>
    /// <exception cref="ConnectionClosedException">The connection ended.</exception>
    /// <exception cref="ResourceLimitException">A limit of this host stands against it.</exception>
    /// <exception cref="TimeoutException">The agreement took too long.</exception>
    public async Task<PeerStream> NewStreamAsync(IReadOnlyList<string> protocols, CancellationToken cancellationToken = default)
    {
        if (protocols.Count == 0) throw new ArgumentException("No protocol is given.", nameof(protocols));
        if (services.Ledger.TryAddStream(RemotePeer, inbound: false) is { } refusal) throw new ResourceLimitException(refusal);
        YamuxStream? muxed = null;
        try
        {
            // What the peer is known to support needs no waiting: the proposal travels with the first bytes.
            string? known = services.KnownProtocol(RemotePeer, protocols);
            muxed = await session.OpenAsync(hold: known is not null, cancellationToken);
            string protocol = known ?? await AgreeAsync(muxed, protocols, cancellationToken);
            if (known is not null)
                await muxed.SendAsync(MultistreamToken.Encode(ProtocolName.Multistream, known), cancellationToken, hold: true);
            Interlocked.Increment(ref streams);
            services.Metrics.StreamOpened(protocol, inbound: false);
            return new PeerStream(this, muxed, protocol, services.Traffic(protocol), confirmLater: known is not null, StreamEnded);
        }
        catch
        {
            muxed?.Reset(StreamErrorCode.ProtocolNegotiationFailed);
            services.Ledger.RemoveStream(RemotePeer, inbound: false, null);
            throw;
        }
    }

    /// <summary>Opens a stream on one protocol.</summary>
    public Task<PeerStream> NewStreamAsync(string protocol, CancellationToken cancellationToken = default) =>
        NewStreamAsync([protocol], cancellationToken);

    private async Task<string> AgreeAsync(YamuxStream muxed, IReadOnlyList<string> protocols, CancellationToken cancellationToken)
    {
        using var activity = HostActivities.Source.StartActivity("libp2p.negotiate");
        using var limit = new CancellationTokenSource(services.Options.NegotiationTimeout, services.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            string protocol = await Multistream.SelectAsync(new PipeTokenChannel(muxed.Input, muxed.Output), protocols, both.Token);
            activity?.SetTag("protocol", protocol);
            return protocol;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"Peer {RemotePeer} did not agree on a protocol within {services.Options.NegotiationTimeout.TotalSeconds:0} s.");
        }
    }

    /// <summary>Accepts streams until the connection ends.</summary>
    internal async Task ServeAsync()
    {
        while (await session.AcceptAsync(CancellationToken.None) is { } muxed)
        {
            if (services.Ledger.TryAddStream(RemotePeer, inbound: true) is { } refusal)
            {
                services.Log.StreamRefused(RemotePeer, refusal);
                muxed.Reset(StreamErrorCode.ResourceLimitExceeded);
                continue;
            }
            _ = ServeStreamAsync(muxed);
        }
    }

    private async Task ServeStreamAsync(YamuxStream muxed)
    {
        // The read loop must not run handlers.
        await Task.Yield();
        Interlocked.Increment(ref streams);
        string? counted = null;
        try
        {
            string protocol;
            using (var limit = new CancellationTokenSource(services.Options.NegotiationTimeout, services.Time))
                protocol = await Multistream.AnswerAsync(new PipeTokenChannel(muxed.Input, muxed.Output), services.Handlers.Supports, limit.Token);
            var handler = services.Handlers.Find(protocol);
            if (handler is null)
            {
                muxed.Reset(StreamErrorCode.ProtocolNegotiationFailed);
                return;
            }
            if (services.Ledger.TryAddToProtocol(RemotePeer, protocol, handler.MaxInboundPerPeer) is { } refusal)
            {
                services.Log.StreamRefused(RemotePeer, refusal);
                muxed.Reset(StreamErrorCode.ResourceLimitExceeded);
                return;
            }
            counted = protocol;
            services.Metrics.StreamOpened(protocol, inbound: true);
            await using var stream = new PeerStream(this, muxed, protocol, services.Traffic(protocol), confirmLater: false, static _ => { });
            try
            {
                await handler.Serve(stream, services.Stopping);
            }
            catch (Exception e)
            {
                stream.Reset();
                if (e is StreamResetException or ConnectionClosedException or OperationCanceledException) services.Log.StreamEnded(e.Message, protocol, RemotePeer);
                else services.Log.HandlerFailed(e, protocol, RemotePeer);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            services.Log.NegotiationFailed(RemotePeer, e is OperationCanceledException ? "it took too long" : e.Message);
            muxed.Reset(StreamErrorCode.ProtocolNegotiationFailed);
        }
        catch (Exception e)
        {
            // A handler that left work on its stream behind, for one.
            services.Log.HandlerFailed(e, counted ?? "", RemotePeer);
            muxed.Reset(StreamErrorCode.None);
        }
        finally
        {
            Interlocked.Decrement(ref streams);
            services.Ledger.RemoveStream(RemotePeer, inbound: true, counted);
            if (counted is not null) services.Metrics.StreamClosed(counted, inbound: true);
        }
    }

    private void StreamEnded(PeerStream stream)
    {
        Interlocked.Decrement(ref streams);
        services.Ledger.RemoveStream(RemotePeer, inbound: false, null);
        services.Metrics.StreamClosed(stream.Protocol, inbound: false);
    }

    /// <summary>Closes the connection; its streams fail.</summary>
    public Task CloseAsync() => session.CloseAsync();

    /// <summary>Peer and address.</summary>
    public override string ToString() => $"{RemoteAddress.WithoutPeer()}/p2p/{RemotePeer}";
}
