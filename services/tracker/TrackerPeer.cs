namespace Cluster.Tracker;

/// <summary>The peer that the tracker works for.</summary>
/// <param name="Id">Peer id in its binary form.</param>
/// <param name="Name">The configured name.</param>
public sealed record TrackerPeer(ReadOnlyMemory<byte> Id, string Name);
