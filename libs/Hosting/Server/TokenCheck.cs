using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Cluster.Hosting.Server;

/// <summary>Refuses calls over TCP that do not carry the token, but for health checks, which orchestrators make without one.</summary>
internal static class TokenCheck
{
    public static Task InvokeAsync(HttpContext http, ServiceToken token, RequestDelegate next)
    {
        if (http.Request.Path.StartsWithSegments("/grpc.health.v1.Health", StringComparison.Ordinal) || token.IsIn(http.Request.Headers.Authorization))
            return next(http);
        // A trailers-only response, as gRPC has it: HTTP 200 with the status in the headers.
        http.Response.StatusCode = StatusCodes.Status200OK;
        http.Response.ContentType = "application/grpc";
        http.Response.Headers["grpc-status"] = ((int)StatusCode.Unauthenticated).ToString(System.Globalization.CultureInfo.InvariantCulture);
        http.Response.Headers["grpc-message"] = "the call carries no valid token of this cluster";
        return http.Response.CompleteAsync();
    }
}
