using System.IO.Pipelines;
using Libp2p.Hosting;

namespace Libp2p.Identify;

/// <summary>Asks each peer who it is, answers the same question, and tells and hears of changes.</summary>
internal sealed class IdentifyService(Libp2pHost host, HostOptions options, HostObservers observers, HostLog log)
{
    public const string Protocol = "/ipfs/id/1.0.0";
    public const string PushProtocol = "/ipfs/id/push/1.0.0";

    private const int MaxMessage = 8192;
    private const int MaxMessages = 10;

    // Room that is left in our own message for everything but addresses (8192 in all, and Go's readers fail above).
    private const int MaxAddressBytes = 4096;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>The answer: one message, then the end of this direction.</summary>
    public async Task AnswerAsync(PeerStream stream, CancellationToken cancellationToken)
    {
        stream.Output.WriteFrame(Describe(stream.Connection).ToBytes());
        await stream.Output.CompleteAsync();
    }

    /// <summary>A peer tells of changes.</summary>
    public async Task ReceivePushAsync(PeerStream stream, CancellationToken cancellationToken)
    {
        var message = await ReadAsync(stream.Input, cancellationToken);
        Learn(stream.Connection, message);
        observers.Tell(o => o.OnUpdated(stream.Connection));
    }

    /// <summary>Asks the peer; the answer goes to the peerstore.</summary>
    public async Task<IdentifyMessage> QueryAsync(PeerConnection connection, CancellationToken cancellationToken)
    {
        await using var stream = await connection.NewStreamAsync(Protocol, cancellationToken);
        try
        {
            var message = await ReadAsync(stream.Input, cancellationToken);
            Learn(connection, message);
            return message;
        }
        catch
        {
            stream.Reset();
            throw;
        }
    }

    /// <summary>Tells one peer what has changed.</summary>
    public async Task PushAsync(PeerConnection connection, CancellationToken cancellationToken)
    {
        await using var stream = await connection.NewStreamAsync(PushProtocol, cancellationToken);
        stream.Output.WriteFrame(Describe(connection).ToBytes());
        await stream.Output.CompleteAsync();
    }

    private async Task<IdentifyMessage> ReadAsync(PipeReader input, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Timeout, options.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var message = new IdentifyMessage();
        for (int i = 0; i < MaxMessages; i++)
        {
            if (await input.ReadFrameBytesAsync(MaxMessage, both.Token) is not { } bytes) return i > 0 ? message : throw new FrameException("The peer sent no identify message.");
            message.Merge(bytes);
        }
        return message;
    }

    private void Learn(PeerConnection connection, IdentifyMessage message)
    {
        var peer = connection.RemotePeer;
        // A key that is not the proven one is a lie or a mistake; the rest is only what the peer says about itself.
        if (message.PublicKey.Length > 0 && (!PublicKey.TryFromProtobuf(message.PublicKey, out var key, out _) || key.PeerId != peer))
            throw new FrameException("The peer's identify message names the key of another peer.");
        IReadOnlyList<Multiaddr> addresses = message.ListenAddresses;
        if (message.SignedPeerRecord.Length > 0 && PeerRecord.TryOpen(message.SignedPeerRecord, out var record) && record.Peer == peer)
        {
            host.Peerstore.SetSignedRecord(peer, message.SignedPeerRecord, record.Sequence);
            addresses = record.Addresses;
        }
        host.Peerstore.SetKey(connection.RemoteKey);
        host.Peerstore.SetProtocols(peer, message.Protocols);
        host.Peerstore.SetVersions(peer, message.AgentVersion, message.ProtocolVersion);
        // Loopback addresses of a peer on another machine would lead here.
        bool local = connection.RemoteAddress.IsLoopback;
        host.Peerstore.AddAddresses(peer, addresses.Where(a => local || !a.IsLoopback), AddressTtl.Connected);
        if (message.ObservedAddress is { } observed) host.ObserveAddress(connection, observed);
        log.Identified(peer, message.AgentVersion, message.Protocols.Count);
    }

    private IdentifyMessage Describe(PeerConnection connection)
    {
        var message = new IdentifyMessage
        {
            PublicKey = options.Key.PublicKey.ToProtobuf(),
            ObservedAddress = connection.RemoteAddress,
            ProtocolVersion = options.ProtocolVersion,
            AgentVersion = options.AgentVersion,
        };
        bool local = connection.RemoteAddress.IsLoopback || connection.RemoteAddress.Has(AddressProtocol.Memory);
        int size = 0;
        foreach (var address in host.AnnouncedAddresses())
        {
            if (address.IsLoopback && !local) continue;
            size += address.Bytes.Length + 4;
            if (size > MaxAddressBytes) break;
            message.ListenAddresses.Add(address);
        }
        message.Protocols.AddRange(host.Protocols);
        if (message.ListenAddresses.Count > 0)
        {
            ulong sequence = (ulong)(options.Time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;
            byte[] record = new PeerRecord(host.Id, sequence, message.ListenAddresses).Seal(options.Key).ToBytes();
            message.SignedPeerRecord = record;
            // Readers refuse larger messages; the record repeats what is there already.
            if (message.ToBytes().Length > MaxMessage) message.SignedPeerRecord = [];
        }
        return message;
    }
}
