using Libp2p;

namespace Cluster.Model;

/// <summary>Order of maps by the text of their peer ids.</summary>
internal static class PeerOrder
{
    /// <summary>The list itself when it is in order already, which a merge of sorted streams gives for nothing.</summary>
    public static IReadOnlyList<KeyValuePair<PeerId, T>> Sorted<T>(IReadOnlyList<KeyValuePair<PeerId, T>> map)
    {
        for (var i = 1; i < map.Count; i++)
        {
            if (Compare(map[i - 1].Key, map[i].Key) > 0)
                return map.OrderBy(entry => entry.Key, Comparer<PeerId>.Create(Compare)).ToArray();
        }

        return map;
    }

    public static int Compare(PeerId left, PeerId right) => PeerIdText.Of(left).SequenceCompareTo(PeerIdText.Of(right));
}
