using System.Globalization;

namespace Libp2p.Kademlia;

/// <summary>What the server knows of a peer.</summary>
/// <param name="Addresses">Where it is.</param>
/// <param name="Connected">Whether it is connected.</param>
internal readonly record struct PeerKnowledge(IReadOnlyList<Multiaddr> Addresses, bool Connected);

/// <summary>A request that is refused; the stream is reset, as the original does.</summary>
public sealed class KademliaRequestException(string message) : Exception(message);

/// <summary>Answers the queries of others: without I/O, one caller at a time.</summary>
internal sealed class KademliaServer(PeerId self, KademliaOptions options, RoutingTable table, Func<PeerId, PeerKnowledge> knowledge)
{
    // A record is a key or a small signed pointer; more is misuse.
    private const int MaxRecord = 64 * 1024;

    /// <summary>What is kept for others.</summary>
    public KademliaStore Store { get; } = new(options);

    /// <summary>Answers one message; null when it has no answer.</summary>
    /// <param name="from">The asking peer.</param>
    /// <param name="loopback">Whether it asks over loopback: only then are loopback addresses of any use to it.</param>
    /// <param name="request">What it asks.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="KademliaRequestException">The request is malformed.</exception>
    public KademliaMessage? Answer(PeerId from, bool loopback, KademliaMessage request, DateTimeOffset now) => request.Type switch
    {
        KademliaMessageType.Ping => request,
        KademliaMessageType.FindNode => FindNode(from, loopback, request),
        KademliaMessageType.GetProviders => GetProviders(from, loopback, request, now),
        KademliaMessageType.AddProvider => AddProvider(from, request, now),
        KademliaMessageType.GetValue => GetValue(from, loopback, request, now),
        KademliaMessageType.PutValue => PutValue(request, now),
        _ => throw new KademliaRequestException($"Messages of type {request.Type} are unknown."),
    };

    private KademliaMessage FindNode(PeerId from, bool loopback, KademliaMessage request)
    {
        CheckKey(request.Key.Span, int.MaxValue);
        var closer = Closer(from, loopback, request.Key.Span);
        // The target itself comes first if its addresses are known, whether it answers queries or not: so clients are found too.
        if (PeerId.TryFromBytes(request.Key.Span, out var target, out _))
        {
            closer.RemoveAll(peer => peer.Peer == target);
            if (Describe(target, loopback) is { Addresses.Count: > 0 } described) closer.Insert(0, described);
        }
        return new KademliaMessage(request.Type, default) { CloserPeers = closer };
    }

    private KademliaMessage GetProviders(PeerId from, bool loopback, KademliaMessage request, DateTimeOffset now)
    {
        CheckKey(request.Key.Span, options.MaxProviderKey);
        var providers = Store.Providers(request.Key.Span, now).Select(peer => Describe(peer, loopback: false)).Take(KademliaMessage.MaxPeers);
        return new KademliaMessage(request.Type, request.Key) { CloserPeers = Closer(from, loopback, request.Key.Span), ProviderPeers = [.. providers] };
    }

    private KademliaMessage? AddProvider(PeerId from, KademliaMessage request, DateTimeOffset now)
    {
        CheckKey(request.Key.Span, options.MaxProviderKey);
        // One may speak for oneself only.
        if (!request.ProviderPeers.Any(peer => peer.Peer == from && peer.Addresses.Count > 0))
            throw new KademliaRequestException("A provider announces itself, with addresses.");
        Store.AddProvider(request.Key.Span, from, now);
        return null;
    }

    private KademliaMessage GetValue(PeerId from, bool loopback, KademliaMessage request, DateTimeOffset now)
    {
        CheckKey(request.Key.Span, int.MaxValue);
        return new KademliaMessage(request.Type, request.Key) { Record = Store.Record(request.Key.Span, now), CloserPeers = Closer(from, loopback, request.Key.Span) };
    }

    private KademliaMessage PutValue(KademliaMessage request, DateTimeOffset now)
    {
        CheckKey(request.Key.Span, int.MaxValue);
        if (request.Record is not { } record || !record.Key.Span.SequenceEqual(request.Key.Span)) throw new KademliaRequestException("The record is missing or of another key.");
        if (record.Key.Length + record.Value.Length > MaxRecord) throw new KademliaRequestException($"A record has at most {MaxRecord} bytes.");
        if (options.ValidatorOf(record.Key.Span) is not { } validator || !validator.IsValid(record.Key.Span, record.Value.Span))
            throw new KademliaRequestException("The record is not valid.");
        var kept = Store.Record(request.Key.Span, now);
        if (kept is not null && !kept.Value.Span.SequenceEqual(record.Value.Span) && validator.IsValid(kept.Key.Span, kept.Value.Span)
            && !validator.IsBetter(record.Value.Span, kept.Value.Span))
        {
            throw new KademliaRequestException("A better record is here already.");
        }
        record = record with { TimeReceived = now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture) };
        Store.Put(record, now);
        return new KademliaMessage(request.Type, request.Key) { Record = record };
    }

    private static void CheckKey(ReadOnlySpan<byte> key, int limit)
    {
        if (key.IsEmpty) throw new KademliaRequestException("The key is empty.");
        if (key.Length > limit) throw new KademliaRequestException($"The key has {key.Length} bytes, more than {limit}.");
    }

    private List<KademliaPeer> Closer(PeerId from, bool loopback, ReadOnlySpan<byte> key) =>
    [
        .. table.Nearest(KademliaKey.Of(key), options.BucketSize + 1).Where(peer => peer != from && peer != self).Take(options.BucketSize)
            .Select(peer => Describe(peer, loopback)).Where(peer => peer.Addresses.Count > 0),
    ];

    private KademliaPeer Describe(PeerId peer, bool loopback)
    {
        var known = knowledge(peer);
        var addresses = known.Addresses.Where(address => loopback || !address.IsLoopback).Take(KademliaMessage.MaxAddresses);
        return new KademliaPeer(peer, [.. addresses], known.Connected ? KademliaConnection.Connected : KademliaConnection.NotConnected);
    }
}
