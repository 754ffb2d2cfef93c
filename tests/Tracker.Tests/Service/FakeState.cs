using Cluster.Contracts.V1;
using Google.Protobuf;
using Grpc.Core;
using Ipld;

namespace Cluster.Tracker.Tests.Service;

/// <summary>A pinset with a change log, as consensus serves it.</summary>
internal sealed class FakeState : Contracts.V1.State.StateBase
{
    private readonly Lock _lock = new();
    private readonly List<StateChange> _log = [];
    private readonly SortedDictionary<Cid, Pin> _pins = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ulong _oldest;
    private byte[] _epoch = [1];

    public ulong Sequence { get; private set; }

    public int Watches { get; private set; }

    public List<ulong> WatchedAfter { get; } = [];

    /// <summary>A pin for everywhere, or for the given peers.</summary>
    public static Pin PinOf(Cid cid, int depth = -1, string name = "", params byte[][] allocations)
    {
        var pin = new Pin
        {
            Cid = ByteString.CopyFrom(cid.Bytes),
            Type = PinType.Data,
            MaxDepth = depth,
            Timestamp = new Time { Seconds = DateTimeOffset.UtcNow.ToUnixTimeSeconds() },
            Options = new PinOptions
            {
                Name = name,
                ReplicationFactorMin = allocations.Length == 0 ? -1 : 1,
                ReplicationFactorMax = allocations.Length == 0 ? -1 : 1,
            },
        };
        pin.Allocations.Add(allocations.Select(ByteString.CopyFrom));
        return pin;
    }

    public ulong Put(params Pin[] pins) => Change(pins.Select(p => new StateChange { Put = p }));

    public ulong Remove(Cid cid)
    {
        lock (_lock)
            return Change([new StateChange { Removed = _pins[cid] }]);
    }

    /// <summary>The log is cut, or the state begins another life: watchers get a snapshot.</summary>
    public void Forget(bool newEpoch)
    {
        lock (_lock)
        {
            _oldest = Sequence;
            _log.Clear();
            if (newEpoch)
                _epoch = [.. _epoch, 1];
        }
    }

    public override async Task Watch(StateWatchRequest request, IServerStreamWriter<StateWatchResponse> responseStream, ServerCallContext context)
    {
        Watches++;
        WatchedAfter.Add(request.After);
        var after = request.After;
        if (request.Epoch.Span.SequenceEqual(_epoch) && after >= _oldest)
            await responseStream.WriteAsync(new StateWatchResponse { Sequence = after, Epoch = ByteString.CopyFrom(_epoch) });
        else
            after = await SendSnapshotAsync(responseStream);
        while (true)
        {
            StateWatchResponse? response = null;
            Task changed;
            lock (_lock)
            {
                changed = _changed.Task;
                if (Sequence > after)
                {
                    response = new StateWatchResponse { Sequence = Sequence, Epoch = ByteString.CopyFrom(_epoch) };
                    response.Changes.Add(_log.Skip((int)(after - _oldest)));
                    after = Sequence;
                }
            }

            if (response is not null)
                await responseStream.WriteAsync(response);
            else
                await changed.WaitAsync(context.CancellationToken);
        }
    }

    private async Task<ulong> SendSnapshotAsync(IServerStreamWriter<StateWatchResponse> responseStream)
    {
        Pin[] pins;
        ulong sequence;
        byte[] epoch;
        lock (_lock)
            (pins, sequence, epoch) = ([.. _pins.Values], Sequence, _epoch);
        await responseStream.WriteAsync(new StateWatchResponse { Reset = true, Epoch = ByteString.CopyFrom(epoch) });
        foreach (var chunk in pins.Chunk(700))
        {
            var response = new StateWatchResponse { Epoch = ByteString.CopyFrom(epoch) };
            response.Changes.Add(chunk.Select(p => new StateChange { Put = p }));
            await responseStream.WriteAsync(response);
        }

        await responseStream.WriteAsync(new StateWatchResponse { SnapshotDone = true, Sequence = sequence, Epoch = ByteString.CopyFrom(epoch) });
        return sequence;
    }

    private ulong Change(IEnumerable<StateChange> changes)
    {
        lock (_lock)
        {
            foreach (var change in changes)
            {
                change.Sequence = ++Sequence;
                _log.Add(change);
                if (change.Put is { } put)
                    _pins[Cid.FromBytes(put.Cid.Span)] = put;
                else
                    _pins.Remove(Cid.FromBytes(change.Removed.Cid.Span));
            }

            _changed.TrySetResult();
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return Sequence;
        }
    }
}
