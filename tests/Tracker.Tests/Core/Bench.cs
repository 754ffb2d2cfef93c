using System.Buffers.Binary;
using Cluster.Tracker.Core;
using Ipld;

namespace Cluster.Tracker.Tests.Core;

/// <summary>A tracker on a bench: time stands still until told, and the tests play the connector.</summary>
internal sealed class Bench
{
    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public Bench(TrackerSettings? settings = null, bool connected = true)
    {
        Settings = settings ?? new TrackerSettings();
        Tracker = new OperationTracker(Index, Settings);
        if (connected)
            Tracker.Connected(Now);
    }

    public MemoryIndex Index { get; } = new();

    public TrackerSettings Settings { get; }

    public OperationTracker Tracker { get; private set; }

    public DateTimeOffset Now { get; private set; } = Start;

    /// <summary>Requests that the connector has and that have not ended.</summary>
    public Dictionary<ulong, TrackerAction> Requests { get; } = [];

    public HashSet<ulong> Cancelled { get; } = [];

    /// <summary>A CID with inline data.</summary>
    public static Cid CidOf(int number)
    {
        Span<byte> bytes = [1, 0x55, 0, 4, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(bytes[4..], number);
        return Cid.FromBytes(bytes);
    }

    public static WantedPin Wanted(int number, DateTimeOffset? created = null, bool here = true, int depth = -1, PinKind kind = PinKind.Data) =>
        new() { Cid = CidOf(number), HeldHere = here, Created = created ?? Start, MaxDepth = depth, Kind = kind };

    public void Pass(TimeSpan time) => Now += time;

    public void Tick(TimeSpan time)
    {
        Pass(time);
        Tracker.Tick(Now);
        Take();
    }

    public void Track(int number, bool here = true, int depth = -1, PinKind kind = PinKind.Data, DateTimeOffset? created = null)
    {
        Tracker.Track(Wanted(number, created ?? Now, here, depth, kind), Now);
        Take();
    }

    public void Untrack(int number)
    {
        Tracker.Untrack(CidOf(number), Now);
        Take();
    }

    public bool Recover(int number)
    {
        var queued = Tracker.Recover(CidOf(number), Now);
        Take();
        return queued;
    }

    public PinView View(int number) => Tracker.View(CidOf(number));

    public PinState State(int number) => View(number).State;

    public ulong RequestOf(int number) => Requests.Single(r => CidOf(r.Value) == CidOf(number) && !Cancelled.Contains(r.Key)).Key;

    public void Complete(int number) => Complete(RequestOf(number));

    public void Complete(ulong id)
    {
        Forget(id);
        Tracker.Completed(id, Now);
        Take();
    }

    public void Fail(int number, string error = "no such content", FailureKind kind = FailureKind.Refused) =>
        Fail(RequestOf(number), error, kind);

    public void Fail(ulong id, string error, FailureKind kind = FailureKind.Refused)
    {
        Forget(id);
        Tracker.Failed(id, error, kind, Now);
        Take();
    }

    /// <summary>The process dies and a new one begins.</summary>
    public void Restart()
    {
        Requests.Clear();
        Cancelled.Clear();
        Tracker = new OperationTracker(Index, Settings, Tracker.Generation);
        Tracker.Load(Now);
        Tracker.Connected(Now);
        Take();
    }

    public void Disconnect()
    {
        Tracker.Disconnected();
        Requests.Clear();
        Cancelled.Clear();
        Assert.Empty(Tracker.TakeActions());
    }

    public void Connect()
    {
        Tracker.Connected(Now);
        Take();
    }

    public void Take()
    {
        foreach (var action in Tracker.TakeActions())
        {
            if (action is CancelOperation)
                Cancelled.Add(action.Id);
            else
                Requests.Add(action.Id, action);
        }
    }

    public static Cid CidOf(TrackerAction action) => action switch
    {
        StartPin pin => pin.Pin.Cid,
        StartUnpin unpin => unpin.Cid,
        _ => default,
    };

    private void Forget(ulong id)
    {
        Requests.Remove(id);
        Cancelled.Remove(id);
    }
}
