using Grpc.Core;

namespace Cluster.Consensus.Clients;

/// <summary>What another service answers, as this one's own failures.</summary>
internal static class RpcFailures
{
    internal static Exception ToCluster(RpcException failure, string service)
    {
        var text = failure.Status.Detail.Length > 0 ? failure.Status.Detail : $"the {service} answered {failure.StatusCode}";
        var kind = failure.StatusCode switch
        {
            StatusCode.Cancelled => (ClusterErrorKind?)null,
            StatusCode.InvalidArgument => ClusterErrorKind.InvalidArgument,
            StatusCode.NotFound => ClusterErrorKind.NotFound,
            StatusCode.FailedPrecondition => ClusterErrorKind.FailedPrecondition,
            StatusCode.ResourceExhausted => ClusterErrorKind.ResourceExhausted,
            StatusCode.Unavailable or StatusCode.DeadlineExceeded => ClusterErrorKind.Unavailable,
            StatusCode.Unimplemented => ClusterErrorKind.Unimplemented,
            _ => ClusterErrorKind.Internal,
        };
        return kind is { } known ? new ClusterException(known, text, failure) : new OperationCanceledException(text, failure);
    }
}
