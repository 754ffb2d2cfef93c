using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Cluster.EndToEnd.Tests.Clusters;

/// <summary>What happens to bytes between two peers.</summary>
public enum Passage
{
    /// <summary>They pass.</summary>
    Open,

    /// <summary>Connections break, and new ones are refused.</summary>
    Cut,

    /// <summary>Connections stay and nothing passes, as with a cable that is pulled.</summary>
    Silent,
}

/// <summary>
/// The network between the peers of a cluster. In front of each peer stands a door, a TCP port of this process, and the door's address is
/// the only one that the peer announces: whoever dials it, from whichever list of addresses, comes by here. Who dials is told by the
/// kernel, from the process that owns the socket.
/// </summary>
internal sealed class PartitionableNetwork : IAsyncDisposable
{
    private readonly ConcurrentDictionary<RunningPeer, Door> _doors = new();
    private readonly ConcurrentDictionary<Passing, bool> _passings = new();
    private readonly CancellationTokenSource _end = new();
    private volatile Rule _rule = new([], Passage.Open);

    /// <summary>Opens a door in front of a peer; the address to announce, without <c>/p2p</c>.</summary>
    public string AddDoor(RunningPeer peer)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        _doors[peer] = new Door(listener, AcceptAsync(peer, listener));
        return string.Create(CultureInfo.InvariantCulture, $"/ip4/127.0.0.1/tcp/{((IPEndPoint)listener.LocalEndpoint).Port}");
    }

    public async Task RemoveDoorAsync(RunningPeer peer)
    {
        if (!_doors.TryRemove(peer, out var door))
            return;
        door.Listener.Stop();
        await door.Accepting;
    }

    /// <summary>Separates a group of peers from all others.</summary>
    public void Separate(Passage passage, params RunningPeer[] group)
    {
        _rule.Change();
        _rule = new Rule([.. group], passage);
        // Who finds out at this moment from where a connection comes sees the new rule, or is seen here.
        Interlocked.MemoryBarrier();
        foreach (var passing in _passings.Keys)
        {
            if (_rule.Between(passing.From, passing.To) == Passage.Cut)
                passing.Break();
        }
    }

    /// <summary>Everything passes again.</summary>
    public void Heal() => Separate(Passage.Open);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        foreach (var peer in _doors.Keys)
            await RemoveDoorAsync(peer);
        foreach (var passing in _passings.Keys)
            passing.Break();
        await Task.WhenAll(_passings.Keys.Select(passing => passing.Done));
        _end.Dispose();
    }

    private async Task AcceptAsync(RunningPeer to, TcpListener listener)
    {
        while (true)
        {
            Socket dialer;
            try
            {
                dialer = await listener.AcceptSocketAsync(_end.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return; // the door was removed
            }

            var passing = new Passing(to, dialer);
            _passings[passing] = true;
            passing.Done = PassAsync(passing);
        }
    }

    private async Task PassAsync(Passing passing)
    {
        await Task.Yield();
        using var target = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            passing.Dialer.NoDelay = true;
            passing.Target = target;
            passing.From = Owner((IPEndPoint)passing.Dialer.RemoteEndPoint!);
            Interlocked.MemoryBarrier();
            if (passing.From is null || _rule.Between(passing.From, passing.To) == Passage.Cut)
                return;
            await target.ConnectAsync(IPAddress.Loopback, passing.To.SwarmPort, _end.Token);
            await Task.WhenAll(PumpAsync(passing, passing.Dialer, target), PumpAsync(passing, target, passing.Dialer));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // One of the sides is gone, or this network is.
        }
        finally
        {
            passing.Break();
            _passings.TryRemove(passing, out _);
        }
    }

    private async Task PumpAsync(Passing passing, Socket from, Socket to)
    {
        var buffer = new byte[64 << 10];
        try
        {
            while (true)
            {
                var read = await from.ReceiveAsync(buffer, _end.Token);
                for (var rule = _rule; rule.Between(passing.From!, passing.To) == Passage.Silent; rule = _rule)
                    await rule.Changed.WaitAsync(_end.Token);
                if (read == 0)
                {
                    to.Shutdown(SocketShutdown.Send);
                    return;
                }

                for (var sent = 0; sent < read;)
                    sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), _end.Token);
            }
        }
        catch
        {
            passing.Break();
            throw;
        }
    }

    /// <summary>The peer whose consensus process holds the socket with this local address; null when none does any more.</summary>
    private RunningPeer? Owner(IPEndPoint local)
    {
        if (Sockets.InodeOf(local) is not { } inode)
            return null;
        foreach (var peer in _doors.Keys)
        {
            if (peer.Runs && peer.Services().TryGetValue("cluster-consens", out var pid) && Sockets.IsHeldBy(pid, inode))
                return peer;
        }

        return null;
    }

    private sealed record Door(TcpListener Listener, Task Accepting);

    /// <summary>Which peers stand apart from the others.</summary>
    private sealed class Rule(HashSet<RunningPeer> group, Passage passage)
    {
        private readonly TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Changed => _changed.Task;

        public Passage Between(RunningPeer? from, RunningPeer to) =>
            from is not null && group.Contains(from) != group.Contains(to) ? passage : Passage.Open;

        /// <summary>Another rule takes its place.</summary>
        public void Change() => _changed.TrySetResult();
    }

    /// <summary>A connection through a door.</summary>
    private sealed class Passing(RunningPeer to, Socket dialer)
    {
        public RunningPeer? From { get; set; }

        public RunningPeer To { get; } = to;

        public Socket Dialer { get; } = dialer;

        public Socket? Target { get; set; }

        public Task Done { get; set; } = Task.CompletedTask;

        public void Break()
        {
            Dialer.Dispose();
            Target?.Dispose();
        }
    }
}
