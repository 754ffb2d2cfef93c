using System.Collections.Concurrent;
using System.Text;
using Libp2p;

namespace Cluster.Model;

/// <summary>
/// Texts of peer ids, kept: a list of pins repeats the few peers of its cluster in every line, and base58 is quadratic work. The
/// cache is dropped when foreign ids would fill it.
/// </summary>
internal static class PeerIdText
{
    private const int Limit = 4096;

    private static readonly ConcurrentDictionary<PeerId, byte[]> Known = new();

    public static ReadOnlySpan<byte> Of(in PeerId peer)
    {
        if (Known.TryGetValue(peer, out var text))
            return text;
        text = Encoding.ASCII.GetBytes(peer.ToString());
        if (Known.Count >= Limit)
            Known.Clear();
        Known.TryAdd(peer, text);
        return text;
    }
}
