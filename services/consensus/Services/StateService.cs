using System.Buffers;
using Cluster.Consensus.Replication;
using Cluster.Model;
using Cluster.PinState;
using Cluster.PinState.Changes;
using Cluster.PinState.Records;
using Cluster.PinState.Transfer;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Services;

/// <summary>The contract <c>ipfscluster.v1.State</c>: the shared state for the tracker and tools.</summary>
/// <remarks>Not derived from the generated base: its methods are bound by name, which asks for virtual ones.</remarks>
[BindServiceMethod(typeof(StateBinding), nameof(StateBinding.BindService))]
public class StateService(IConsensus consensus, IHostApplicationLifetime lifetime, ILoggerFactory loggers)
{
    private const int ChangesPerMessage = 1024;
    private const int MaxLookups = 10_000;

    private readonly ILogger _logger = loggers.CreateLogger("dsstate");
    private readonly PinStore _state = consensus.State;

    /// <summary>See the contract.</summary>
    public virtual Task<V1.StateGetResponse> Get(V1.StateGetRequest request, ServerCallContext context) => _logger.GuardAsync(() =>
    {
        if (request.Cids.Count > MaxLookups)
            throw new ClusterException(ClusterErrorKind.InvalidArgument, $"more than {MaxLookups} CIDs in one lookup: use List");
        using var snapshot = _state.CreateSnapshot();
        var response = new V1.StateGetResponse { Sequence = snapshot.Totals.Sequence };
        foreach (var cid in request.Cids)
        {
            if (snapshot.Find(PinMapping.ToCid(cid)) is { } pin)
                response.Pins.Add(PinMapping.ToMessage(pin));
        }

        return Task.FromResult(response);
    });

    /// <summary>Served from the records as they are; see <see cref="StateBinding"/>.</summary>
    public virtual Task List(V1.StateListRequest request, IServerStreamWriter<RawMessage> responseStream, ServerCallContext context) =>
        _logger.GuardAsync(async () =>
        {
            var filter = new PinFilter
            {
                Types = TypesOf(request.Types_),
                HeldBy = request.HeldBy.IsEmpty ? default : PinMapping.ToPeer(request.HeldBy),
                After = PinMapping.ToOptionalCid(request.After, "after"),
                Name = request.WithName ? request.Name : null,
            };
            using var snapshot = _state.CreateSnapshot();
            await RecordLists.WriteAsync(
                snapshot, filter, static (message, s) => message.Number(2, s.Totals.Sequence), responseStream, context.CancellationToken);
        });

    /// <summary>Served from the records as they are; see <see cref="StateBinding"/>.</summary>
    public virtual Task Watch(V1.StateWatchRequest request, IServerStreamWriter<RawMessage> responseStream, ServerCallContext context) =>
        _logger.GuardAsync(() => lifetime.UntilStopAsync(
            context, token => WatchAsync(request, responseStream, token)));

    /// <summary>See the contract.</summary>
    public virtual Task<V1.StateInfoResponse> Info(V1.Empty request, ServerCallContext context)
    {
        var totals = _state.Totals;
        return Task.FromResult(new V1.StateInfoResponse
        {
            Sequence = totals.Sequence,
            Epoch = UnsafeByteOperations.UnsafeWrap(totals.Epoch),
            Pins = totals.Count,
            Consensus = consensus.Kind,
        });
    }

    /// <summary>See the contract.</summary>
    public virtual Task Export(V1.Empty request, IServerStreamWriter<V1.StateExportResponse> responseStream, ServerCallContext context) =>
        _logger.GuardAsync(async () =>
        {
            using var export = new StateExport(_state);
            var buffer = new ArrayBufferWriter<byte>(RecordLists.MessageBytes * 2);
            while (export.WriteSome(buffer, RecordLists.MessageBytes))
            {
                await responseStream.WriteAsync(
                    new V1.StateExportResponse { Lines = UnsafeByteOperations.UnsafeWrap(buffer.WrittenMemory) }, context.CancellationToken);
                buffer.ResetWrittenCount();
            }
        });

    /// <summary>See the contract.</summary>
    public virtual Task<V1.StateImportResponse> Import(IAsyncStreamReader<V1.StateImportRequest> requestStream, ServerCallContext context) =>
        _logger.GuardAsync(async () =>
        {
            using var input = new ImportStream(requestStream);
            var options = ToOptions(await input.ReadOptionsAsync(context.CancellationToken));
            return new V1.StateImportResponse { Pins = await consensus.ImportAsync(input, options, context.CancellationToken) };
        });

    internal static PinType TypesOf(RepeatedField<V1.PinType> types)
    {
        if (types.Count == 0)
            return PinType.All | PinType.Bad;
        var mask = PinType.None;
        foreach (var type in types)
            mask |= PinTypes.FromStoredIndex((ulong)type);
        return mask;
    }

    private static StateImportOptions ToOptions(V1.StateImportOptions? options) => options is null
        ? new StateImportOptions()
        : new StateImportOptions
        {
            ReplicationMinimum = options.ReplicationFactorMin,
            ReplicationMaximum = options.ReplicationFactorMax,
            Allocations = [.. options.Allocations.Select(PinMapping.ToPeer)],
        };

    private async Task WatchAsync(V1.StateWatchRequest request, IServerStreamWriter<RawMessage> responses, CancellationToken cancellationToken)
    {
        var epoch = (ReadOnlyMemory<byte>)request.Epoch.ToByteArray();
        var after = request.After;
        var known = after > 0;
        var changes = new List<StateChange>();
        using var message = new RawMessage(RecordLists.MessageBytes + 4096);
        while (true)
        {
            var totals = _state.Totals;
            changes.Clear();
            if (!known || !totals.Epoch.Span.SequenceEqual(epoch.Span)
                || !_state.TryReadChanges(after, ChangesPerMessage, RecordLists.MessageBytes, changes))
            {
                (after, epoch) = await SendSnapshotAsync(message, responses, cancellationToken);
                known = true;
                continue;
            }

            // A replacement of the state in between shows by its epoch; what was read before it still belongs to the old one.
            if (!_state.Totals.Epoch.Span.SequenceEqual(epoch.Span))
                continue;
            if (changes.Count == 0)
            {
                // The first message comes at once, so that a follower knows that it is up to date.
                if (after == request.After && message.Length == 0)
                    await SendAsync(message, changes, after, epoch, responses, cancellationToken);
                await _state.WaitForChangeAsync(after, cancellationToken);
                continue;
            }

            after = changes[^1].Sequence;
            await SendAsync(message, changes, after, epoch, responses, cancellationToken);
        }
    }

    private async Task<(ulong Sequence, ReadOnlyMemory<byte> Epoch)> SendSnapshotAsync(
        RawMessage message, IServerStreamWriter<RawMessage> responses, CancellationToken cancellationToken)
    {
        using var snapshot = _state.CreateSnapshot();
        using var cursor = snapshot.List();
        var totals = snapshot.Totals;
        var reset = true;
        var more = true;
        while (more)
        {
            message.Clear();
            if (reset)
                message.Number(1, 1);
            more = FillPuts(cursor, message);
            if (!more)
            {
                message.Number(3, 1);
                message.Number(4, totals.Sequence);
            }

            message.Field(5, totals.Epoch.Span);
            await responses.WriteAsync(message, cancellationToken);
            reset = false;
        }

        return (totals.Sequence, totals.Epoch);
    }

    private static bool FillPuts(PinCursor cursor, RawMessage message)
    {
        while (message.Length < RecordLists.MessageBytes)
        {
            if (!cursor.MoveNext())
                return false;
            Change(message, cursor.Sequence, ChangeKind.Put, cursor.Record);
        }

        return true;
    }

    private static async Task SendAsync(
        RawMessage message, List<StateChange> changes, ulong sequence, ReadOnlyMemory<byte> epoch,
        IServerStreamWriter<RawMessage> responses, CancellationToken cancellationToken)
    {
        message.Clear();
        foreach (var change in changes)
            Change(message, change.Sequence, change.Kind, change.Record.Span);
        message.Number(4, sequence);
        message.Field(5, epoch.Span);
        await responses.WriteAsync(message, cancellationToken);
    }

    /// <summary>Adds <c>StateChange changes = 2</c>: sequence = 1, put = 2, removed = 3.</summary>
    private static void Change(RawMessage message, ulong sequence, ChangeKind kind, ReadOnlySpan<byte> record)
    {
        var size = (sequence == 0 ? 0 : 1 + RawMessage.VarintSize(sequence)) + 1 + RawMessage.VarintSize((ulong)record.Length) + record.Length;
        message.Header(2, size);
        message.Number(1, sequence);
        message.Field(kind == ChangeKind.Put ? 2 : 3, record);
    }
}
