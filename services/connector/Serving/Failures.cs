using Cluster.Contracts.V1;
using Grpc.Core;
using KuboRpc;

namespace Cluster.Connector.Serving;

/// <summary>What a failed call to the daemon is in gRPC (protos/ipfscluster/v1/connector.proto).</summary>
internal static class Failures
{
    public static StatusCode Code(Exception failure) => failure switch
    {
        RpcException rpc => rpc.StatusCode,
        OperationCanceledException => StatusCode.Cancelled,
        DaemonUnreachableException => StatusCode.Unavailable,
        DaemonTimeoutException => StatusCode.DeadlineExceeded,
        ContentPathException or EmptyBlockStreamException => StatusCode.InvalidArgument,
        ConfigKeyException => StatusCode.NotFound,
        UnpinDisabledException => StatusCode.FailedPrecondition,
        KuboException => StatusCode.Unknown,
        _ => StatusCode.Internal,
    };

    public static RpcException Rpc(Exception failure) =>
        failure as RpcException ?? new RpcException(new Status(Code(failure), failure.Message, failure));

    public static ItemError Item(Exception failure) =>
        new() { Code = (int)Code(failure), Message = failure is RpcException rpc ? rpc.Status.Detail : failure.Message };

    public static RpcException BadArgument(string what) => new(new Status(StatusCode.InvalidArgument, what));
}
