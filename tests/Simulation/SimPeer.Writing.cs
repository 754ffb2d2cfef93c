using Cluster.Model;
using Crdt;

namespace Simulation.Tests;

internal sealed partial class SimPeer
{
    private readonly Dictionary<BlockId, Fetch> _fetches = [];

    private void Enqueue(Input input)
    {
        _inbox.Add(input);
        Work();
    }

    /// <summary>Writes some of what waits as one; while the disk is at it, the rest waits.</summary>
    private void Work()
    {
        if (_busy || !IsUp || _inbox.Count == 0)
            return;
        var count = 1 + _world.Random.Next(_inbox.Count);
        Input[] inputs = [.. _inbox.Take(count)];
        _inbox.RemoveRange(0, count);

        var transaction = Disk.Begin();
        var output = new CrdtOutput();
        var wanted = new List<(BlockId Block, int? From)>();
        foreach (var input in inputs)
            Apply(input, transaction, output, wanted);
        var nodes = new NodeWriter(_core, transaction, output, maxSize: 600);
        foreach (var input in inputs)
        {
            if (input is Input.Put put)
                nodes.Put(put.Key, PinProtobuf.ToBytes(put.Pin));
            else if (input is Input.Remove remove)
                nodes.Remove(remove.Key);
        }

        nodes.Flush();
        if (_world.Random.Next(400) == 0)
        {
            _world.Trace($"peer {Number}: a write fails");
            _world.Count("writes failed");
            _core = MerkleCrdt.Open(Disk.Seen);
            Settle(inputs);
            Later(TimeSpan.FromMilliseconds(1), Work);
            return;
        }

        foreach (var node in nodes.Written)
        {
            if (MerkleCrdt.TryGetBlock(transaction, node, out var bytes))
                _world.Nodes.TryAdd(node, MadeNode.From(node, bytes!));
        }

        if (transaction.HasWrites)
            transaction.Commit();
        if (output.Merged.Count == 0)
        {
            Written(inputs, nodes.Written, output, wanted);
            Later(TimeSpan.Zero, Work);
            return;
        }

        _busy = true;
        if (_duringNextWrite is { } action)
        {
            _duringNextWrite = null;
            Later(TimeSpan.FromMilliseconds(0.5), action);
        }

        Later(_world.Between(0.001, 0.03), () =>
        {
            Disk.Sync();
            _busy = false;
            Written(inputs, nodes.Written, output, wanted);
            Work();
        });
    }

    private void Apply(Input input, SimDisk.Transaction transaction, CrdtOutput output, List<(BlockId, int?)> wanted)
    {
        var before = output.Fetches.Count;
        int? from = null;
        switch (input)
        {
            case Input.Heads heads:
                from = heads.From;
                _core.HeadsReceived(transaction, HeadsMessage.Parse(heads.Message), output);
                break;
            case Input.Arrived arrived:
                from = arrived.From;
                _core.BlockArrived(transaction, arrived.Block, arrived.Bytes, output);
                break;
            case Input.Unavailable unavailable:
                _core.BlockUnavailable(transaction, unavailable.Block);
                break;
            case Input.Rebroadcast:
                _core.Rebroadcast(output);
                _core.RetryMissing(output);
                break;
            case Input.Repair:
                _core.RetryMissing(output);
                break;
        }

        for (var i = before; i < output.Fetches.Count; i++)
            wanted.Add((output.Fetches[i], from));
    }

    private void Written(Input[] inputs, IReadOnlyList<BlockId> own, CrdtOutput output, List<(BlockId Block, int? From)> wanted)
    {
        foreach (var change in output.Changes)
        {
            if (change.Value is { } value)
                _pins[change.Key] = PinProtobuf.Parse(value.Span);
            else
                _pins.Remove(change.Key);
        }

        foreach (var node in _world.Traces ? output.Merged : [])
            _world.Trace($"peer {Number} merges {Short(node)} -> {string.Join(' ', LinksOf(node).Select(Short))}; heads {string.Join(' ', _core.Heads.Keys.Select(Short))}; missing {string.Join(' ', _core.Missing.Select(Short))}");
        Acknowledged.UnionWith(own);
        _world.Count("nodes acknowledged", own.Count);
        _world.Count("nodes of others merged", output.Merged.Count - own.Count);
        Settle(inputs);
        var announced = output.Broadcast.Where(node => _core.Announceable.Contains(node)).Distinct().ToArray();
        if (announced.Length > 0)
        {
            var message = HeadsMessage.Encode(announced);
            _world.Broadcast(this, to => to.Enqueue(new Input.Heads(Number, message)));
            _core.HeadsReceived(Disk.Seen, announced, new CrdtOutput());
        }

        foreach (var (block, from) in wanted)
            Want(block, from);
    }

    private static string Short(BlockId id) => id.ToString()[^5..];

    private IReadOnlyList<BlockId> LinksOf(BlockId node) =>
        MerkleCrdt.TryGetBlock(Disk.Seen, node, out var bytes) ? DagNode.ParseLinks(bytes) : [];

    private void Settle(Input[] inputs)
    {
        foreach (var input in inputs)
        {
            if (input is Input.Arrived arrived)
                _fetches.Remove(arrived.Block);
        }
    }

    private void Want(BlockId block, int? from)
    {
        if (_fetches.ContainsKey(block) || MerkleCrdt.IsMerged(Disk.Seen, block))
            return;
        var fetch = new Fetch(block);
        _fetches.Add(block, fetch);
        Ask(fetch, from);
    }

    /// <summary>Asks one peer; when nothing comes, another one, and at last gives up.</summary>
    private void Ask(Fetch fetch, int? from)
    {
        if (fetch.Tries++ == 12)
        {
            _fetches.Remove(fetch.Block);
            _world.Count("blocks not to be had");
            Enqueue(new Input.Unavailable(fetch.Block));
            return;
        }

        var others = _world.Peers.Where(peer => peer != this).ToArray();
        var asked = from is { } number ? _world.Peers[number] : others[_world.Random.Next(others.Length)];
        if (asked == this)
            asked = others[0];
        _world.Send(this, asked, to =>
        {
            // Only what is durable is given away.
            if (MerkleCrdt.TryGetBlock(to.Disk.Durable, fetch.Block, out var bytes))
                _world.Send(to, this, back => back.Arrive(fetch, to.Number, bytes!));
        });
        Later(TimeSpan.FromSeconds(7), () =>
        {
            if (!fetch.HasArrived && _fetches.GetValueOrDefault(fetch.Block) == fetch)
                Ask(fetch, null);
        });
    }

    private void Arrive(Fetch fetch, int from, byte[] bytes)
    {
        var known = _fetches.GetValueOrDefault(fetch.Block) == fetch;
        if (!known || fetch.HasArrived)
        {
            // The answer to a question of before the restart, or a second one.
            if (_world.Random.Next(2) == 0)
                Enqueue(new Input.Arrived(fetch.Block, bytes, from));
            return;
        }

        fetch.HasArrived = true;
        Enqueue(new Input.Arrived(fetch.Block, bytes, from));
        foreach (var link in DagNode.ParseLinks(bytes))
            Want(link, from);
    }

    /// <summary>A block that is asked for.</summary>
    private sealed class Fetch(BlockId block)
    {
        public BlockId Block { get; } = block;

        public int Tries { get; set; }

        public bool HasArrived { get; set; }
    }

    /// <summary>What waits for the thread that writes.</summary>
    private abstract record Input
    {
        public sealed record Heads(int From, byte[] Message) : Input;

        public sealed record Arrived(BlockId Block, byte[] Bytes, int From) : Input;

        public sealed record Unavailable(BlockId Block) : Input;

        public sealed record Rebroadcast : Input;

        public sealed record Repair : Input;

        public sealed record Put(string Key, Pin Pin) : Input;

        public sealed record Remove(string Key) : Input;
    }
}
