using Cluster.Consensus.CrdtReplication;
using Ipld;
using Libp2p;

namespace Cluster.Consensus.Tests.CrdtReplication;

/// <summary>Replicas in one process: announcements reach, and blocks come from, those of the same group.</summary>
internal sealed class MemoryNetwork
{
    private readonly Lock _lock = new();
    private readonly Dictionary<PeerId, (ICrdtReplica Replica, int Group)> _members = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _fetches;

    /// <summary>Blocks given so far.</summary>
    public int Fetches => Volatile.Read(ref _fetches);

    /// <summary>Blocks that are still given; then nobody answers until it is raised.</summary>
    public int FetchLimit { get; set; } = int.MaxValue;

    public ICrdtNetwork Of(PeerId peer) => new Link(this, peer);

    /// <summary>Brings a replica into a group, or takes it to another one; tells it and the others the heads, unless it does so quietly.</summary>
    public void Join(PeerId peer, ICrdtReplica replica, int group = 0, bool quietly = false)
    {
        lock (_lock)
            _members[peer] = (replica, group);
        if (quietly)
            return;
        Announce(peer, replica.CurrentHeads());
        foreach (var (other, theirs) in Others(peer))
            replica.HeadsAnnounced(other, theirs.CurrentHeads());
        Change();
    }

    public void Leave(PeerId peer)
    {
        lock (_lock)
            _members.Remove(peer);
    }

    public void Change()
    {
        TaskCompletionSource changed;
        lock (_lock)
            (changed, _changed) = (_changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        changed.SetResult();
    }

    private void Announce(PeerId author, ReadOnlyMemory<byte> message)
    {
        if (message.IsEmpty)
            return;
        foreach (var (_, replica) in Others(author))
            replica.HeadsAnnounced(author, message);
        Change();
    }

    private List<(PeerId Peer, ICrdtReplica Replica)> Others(PeerId peer)
    {
        lock (_lock)
        {
            return !_members.TryGetValue(peer, out var own)
                ? []
                : [.. _members.Where(m => m.Key != peer && m.Value.Group == own.Group).Select(m => (m.Key, m.Value.Replica))];
        }
    }

    private async Task<ReadOnlyMemory<byte>> FetchAsync(PeerId peer, Cid block, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
                changed = _changed.Task;
            foreach (var (_, replica) in Others(peer))
            {
                if (await replica.Blocks.GetAsync(block, cancellationToken) is not { } bytes)
                    continue;
                if (Interlocked.Increment(ref _fetches) <= FetchLimit)
                    return bytes;
                Interlocked.Decrement(ref _fetches);
                break;
            }

            await changed.WaitAsync(cancellationToken);
        }
    }

    private sealed class Link(MemoryNetwork network, PeerId self) : ICrdtNetwork
    {
        public void Announce(ReadOnlyMemory<byte> message) => network.Announce(self, message);

        public Task<ReadOnlyMemory<byte>> FetchAsync(Cid block, PeerId? announcedBy, CancellationToken cancellationToken) =>
            network.FetchAsync(self, block, cancellationToken);
    }
}
