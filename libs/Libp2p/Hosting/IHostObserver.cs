namespace Libp2p;

/// <summary>
/// Hears of a host's connections. Calls come one after the other for one connection, from any thread; they must return soon and
/// not throw.
/// </summary>
public interface IHostObserver
{
    /// <summary>Somebody connected, but was not understood or not authenticated.</summary>
    /// <param name="remote">The other side's address; anybody may sit there.</param>
    /// <param name="failure">What it looks like; <see cref="DialFailure.OtherNetwork"/> for another secret.</param>
    /// <param name="reason">The failure in words.</param>
    void OnInboundFailed(Multiaddr remote, DialFailure failure, string reason)
    {
    }

    /// <summary>A connection is usable.</summary>
    void OnConnected(PeerConnection connection)
    {
    }

    /// <summary>The other side has told who it is: its protocols are in the peerstore.</summary>
    void OnIdentified(PeerConnection connection)
    {
    }

    /// <summary>A connected peer has told (by identify push) that its protocols or addresses changed.</summary>
    void OnUpdated(PeerConnection connection)
    {
    }

    /// <summary>A connection ended.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="last">Whether no other connection to that peer is left.</param>
    void OnDisconnected(PeerConnection connection, bool last)
    {
    }
}
