using Cluster.Gateway.Adder;
using Cluster.Gateway.Http;
using Cluster.Gateway.Json;
using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Rest;

/// <summary>The route table of the REST API (<c>spec/rest-api.md</c> section 2.1).</summary>
public sealed class RestApi
{
    private readonly PeerClient peer;
    private readonly ILoggerFactory loggers;

    /// <summary>Puts the table together.</summary>
    public RestApi(PeerClient peer, ILoggerFactory loggers)
    {
        this.peer = peer;
        this.loggers = loggers;
    }

    /// <summary>Credentials of the face, once it is there: <c>POST /token</c> signs with them.</summary>
    public Func<Authentication?> Authentication { get; init; } = static () => null;

    /// <summary>All routes. Of two that match, the earlier one is taken: <c>POST /pins/recover</c> is no CID.</summary>
    public IEnumerable<Route> Routes =>
    [
        .. new PeerEndpoints(peer).Routes,
        .. new ListEndpoints(peer).Routes,
        .. new PinEndpoints(peer).Routes,
        .. new AddEndpoint(peer, loggers.CreateLogger("adder")).Routes,
        new("POST", "/token", TokenAsync),
        new("GET", "/token", NoTokenAsync),
    ];

    /// <summary>Where there are tokens to be had the original's 404 is recorded as its answer (golden <c>rest/auth-token</c>), where there
    /// are none as a fault that should be a 405 (<c>rest/routing</c>).</summary>
    private ValueTask NoTokenAsync(Exchange exchange)
    {
        if (Authentication() is not null) return exchange.AnswerErrorAsync(404, "not found");
        exchange.AnswerEmpty(405, json: false);
        return ValueTask.CompletedTask;
    }

    private ValueTask TokenAsync(Exchange exchange)
    {
        if (Authentication() is not { } authentication || exchange.User is not { } user) return exchange.AnswerErrorAsync(401, "unauthorized");
        ByteBuffer buffer = exchange.Scratch;
        PeerJson.WriteToken(buffer, authentication.TokenFor(user));
        return exchange.AnswerJsonAsync(200, buffer);
    }
}
