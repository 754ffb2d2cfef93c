using Libp2p;

namespace Cluster.Consensus.CrdtReplication;

/// <summary>
/// Nodes of the DAG and their ancestors as one peer tells them, without being asked for each. What it says is not checked. The question
/// is put with the first call; one call at a time; disposing ends it at once.
/// </summary>
public interface IAncestorReader : IAsyncDisposable
{
    /// <summary>Who is asked.</summary>
    PeerId Peer { get; }

    /// <summary>The next node; null when the peer has told all it has.</summary>
    /// <exception cref="IOException">The peer is lost, refuses, or sends what is no block.</exception>
    /// <exception cref="TimeoutException">Nothing has come for too long.</exception>
    ValueTask<ReadOnlyMemory<byte>?> NextAsync(CancellationToken cancellationToken);

    /// <summary>Asks this peer no more for a while: it did not tell what it should.</summary>
    void Avoid();
}
