using Cluster.Contracts.V1;
using Google.Protobuf.Collections;

namespace Cluster.Hosting.Batching;

/// <summary>
/// How the messages of a batching method look: every contract has its own call, result and batch messages of one shape (an id and
/// one of several bodies).
/// </summary>
/// <typeparam name="TCall">A call with its id.</typeparam>
/// <typeparam name="TCallBatch">Several calls.</typeparam>
/// <typeparam name="TResult">A result with the id of its call.</typeparam>
/// <typeparam name="TResultBatch">Several results.</typeparam>
public abstract class BatchShape<TCall, TCallBatch, TResult, TResultBatch>
    where TCall : class
    where TCallBatch : class, new()
    where TResult : class, new()
    where TResultBatch : class, new()
{
    /// <summary>The calls of a batch.</summary>
    public abstract RepeatedField<TCall> Calls(TCallBatch batch);

    /// <summary>The results of a batch.</summary>
    public abstract RepeatedField<TResult> Results(TResultBatch batch);

    /// <summary>The id of a call.</summary>
    public abstract ulong IdOf(TCall call);

    /// <summary>Sets the id of a call.</summary>
    public abstract void SetId(TCall call, ulong id);

    /// <summary>The id that a result answers.</summary>
    public abstract ulong IdOf(TResult result);

    /// <summary>Sets the id that a result answers.</summary>
    public abstract void SetId(TResult result, ulong id);

    /// <summary>The error of a result, or null.</summary>
    public abstract ItemError? ErrorOf(TResult result);

    /// <summary>A result that is an error.</summary>
    public abstract TResult Failure(ItemError error);

    /// <summary>Whether more results of the same call follow.</summary>
    public virtual bool IsInterim(TResult result) => false;

    /// <summary>A call that cancels the call of the same id; null where the contract has none.</summary>
    public virtual TCall? Cancellation() => null;

    /// <summary>Whether a call is a cancellation.</summary>
    public virtual bool IsCancellation(TCall call) => false;
}

/// <summary>The shapes of the three contracts that have batches.</summary>
public static class BatchShapes
{
    /// <summary><c>Cluster.Calls</c>.</summary>
    public static BatchShape<Call, CallBatch, CallResult, CallResultBatch> Cluster { get; } = new ClusterShape();

    /// <summary><c>Tracker.Calls</c>; a call may be cancelled.</summary>
    public static BatchShape<TrackerCall, TrackerCallBatch, TrackerCallResult, TrackerCallResultBatch> Tracker { get; } = new TrackerShape();

    /// <summary><c>Connector.Calls</c>; a call may have interim results and may be cancelled.</summary>
    public static BatchShape<ConnectorCall, ConnectorCallBatch, ConnectorCallResult, ConnectorCallResultBatch> Connector { get; } = new ConnectorShape();

    private sealed class ClusterShape : BatchShape<Call, CallBatch, CallResult, CallResultBatch>
    {
        public override RepeatedField<Call> Calls(CallBatch batch) => batch.Calls;

        public override RepeatedField<CallResult> Results(CallResultBatch batch) => batch.Results;

        public override ulong IdOf(Call call) => call.Id;

        public override void SetId(Call call, ulong id) => call.Id = id;

        public override ulong IdOf(CallResult result) => result.Id;

        public override void SetId(CallResult result, ulong id) => result.Id = id;

        public override ItemError? ErrorOf(CallResult result) => result.Error;

        public override CallResult Failure(ItemError error) => new() { Error = error };
    }

    private sealed class TrackerShape : BatchShape<TrackerCall, TrackerCallBatch, TrackerCallResult, TrackerCallResultBatch>
    {
        public override RepeatedField<TrackerCall> Calls(TrackerCallBatch batch) => batch.Calls;

        public override RepeatedField<TrackerCallResult> Results(TrackerCallResultBatch batch) => batch.Results;

        public override ulong IdOf(TrackerCall call) => call.Id;

        public override void SetId(TrackerCall call, ulong id) => call.Id = id;

        public override ulong IdOf(TrackerCallResult result) => result.Id;

        public override void SetId(TrackerCallResult result, ulong id) => result.Id = id;

        public override ItemError? ErrorOf(TrackerCallResult result) => result.Error;

        public override TrackerCallResult Failure(ItemError error) => new() { Error = error };

        public override TrackerCall Cancellation() => new() { Cancel = new Empty() };

        public override bool IsCancellation(TrackerCall call)
        {
            ArgumentNullException.ThrowIfNull(call);
            return call.CallCase == TrackerCall.CallOneofCase.Cancel;
        }
    }

    private sealed class ConnectorShape : BatchShape<ConnectorCall, ConnectorCallBatch, ConnectorCallResult, ConnectorCallResultBatch>
    {
        public override RepeatedField<ConnectorCall> Calls(ConnectorCallBatch batch) => batch.Calls;

        public override RepeatedField<ConnectorCallResult> Results(ConnectorCallResultBatch batch) => batch.Results;

        public override ulong IdOf(ConnectorCall call) => call.Id;

        public override void SetId(ConnectorCall call, ulong id) => call.Id = id;

        public override ulong IdOf(ConnectorCallResult result) => result.Id;

        public override void SetId(ConnectorCallResult result, ulong id) => result.Id = id;

        public override ItemError? ErrorOf(ConnectorCallResult result) => result.Error;

        public override ConnectorCallResult Failure(ItemError error) => new() { Error = error };

        public override bool IsInterim(ConnectorCallResult result) => result.ResultCase == ConnectorCallResult.ResultOneofCase.Progress;

        public override ConnectorCall Cancellation() => new() { Cancel = new Empty() };

        public override bool IsCancellation(ConnectorCall call)
        {
            ArgumentNullException.ThrowIfNull(call);
            return call.CallCase == ConnectorCall.CallOneofCase.Cancel;
        }
    }
}
