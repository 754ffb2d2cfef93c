using Grpc.Core;

namespace Cluster.Gateway.Rest;

/// <summary>The one place where errors of the services become HTTP statuses (<c>spec/rest-api.md</c> section 5.1).</summary>
public static class RestErrors
{
    /// <summary>The text by which clients know that a CID is not pinned; it never names the CID.</summary>
    public const string NotPinned = "pin is not part of the pinset";

    /// <summary>The status: 404 for what is not pinned, 500 for everything else, whatever its cause.</summary>
    public static int StatusFor(RpcException error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return error.Status.Detail == NotPinned ? 404 : 500;
    }

    /// <summary>What the client is told.</summary>
    public static string MessageFor(RpcException error)
    {
        ArgumentNullException.ThrowIfNull(error);
        if (PeerClient.IsLost(error)) return $"a service of this peer does not answer, try again: {error.Status.Detail}";
        return error.Status.Detail.Length > 0 ? error.Status.Detail : error.StatusCode.ToString();
    }
}
