using System.Collections.Concurrent;
using System.Text;
using Google.Protobuf;
using Libp2p;

namespace Cluster.Gateway.Json;

/// <summary>Texts of peer ids, kept: a list names the few peers of a cluster in every line, and base58 is slow.</summary>
public static class PeerText
{
    private const int Limit = 4096;

    private static readonly ConcurrentDictionary<ByteString, byte[]> Known = new();

    /// <summary>The base58 text in ASCII; empty for an empty id. A peer id that cannot be read is an empty text too.</summary>
    public static byte[] Of(ByteString peer)
    {
        ArgumentNullException.ThrowIfNull(peer);
        if (peer.IsEmpty) return [];
        if (Known.TryGetValue(peer, out byte[]? text)) return text;
        text = PeerId.TryFromBytes(peer.Span, out PeerId id, out _) ? Encoding.ASCII.GetBytes(id.ToString()!) : [];
        // Foreign ids must not fill the memory.
        if (Known.Count >= Limit) Known.Clear();
        Known.TryAdd(peer, text);
        return text;
    }
}
