namespace Libp2p.Hosting;

/// <summary>The open connections, by peer.</summary>
internal sealed class ConnectionPool
{
    private readonly Lock gate = new();
    private readonly Dictionary<PeerId, List<PeerConnection>> byPeer = [];
    private int count;

    public int Count => Volatile.Read(ref count);

    public void Add(PeerConnection connection)
    {
        lock (gate)
        {
            if (!byPeer.TryGetValue(connection.RemotePeer, out var list)) byPeer.Add(connection.RemotePeer, list = []);
            list.Add(connection);
            count++;
        }
    }

    /// <summary>Removes a connection; true if it was the peer's last.</summary>
    public bool Remove(PeerConnection connection)
    {
        lock (gate)
        {
            if (!byPeer.TryGetValue(connection.RemotePeer, out var list) || !list.Remove(connection)) return false;
            count--;
            return list.Count == 0 && byPeer.Remove(connection.RemotePeer);
        }
    }

    public IReadOnlyList<PeerConnection> All
    {
        get
        {
            lock (gate) return [.. byPeer.Values.SelectMany(list => list)];
        }
    }

    public IReadOnlyList<PeerId> Peers
    {
        get
        {
            lock (gate) return [.. byPeer.Keys];
        }
    }

    public IReadOnlyList<PeerConnection> To(PeerId peer)
    {
        lock (gate) return byPeer.TryGetValue(peer, out var list) ? [.. list] : [];
    }

    /// <summary>The connection to use for a new stream: open, with most streams already, else the oldest.</summary>
    public PeerConnection? Best(PeerId peer)
    {
        lock (gate)
        {
            PeerConnection? best = null;
            if (!byPeer.TryGetValue(peer, out var list)) return null;
            foreach (var connection in list)
            {
                if (connection.IsOpen && (best is null || connection.StreamCount > best.StreamCount)) best = connection;
            }
            return best;
        }
    }
}
