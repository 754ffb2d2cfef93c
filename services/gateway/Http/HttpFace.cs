using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cluster.Gateway.Json;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Abstractions;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using BadHttpRequestException = Microsoft.AspNetCore.Http.BadHttpRequestException;

namespace Cluster.Gateway.Http;

/// <summary>One HTTP face of the peer: listeners, limits, and the chain request log, authentication, CORS, redirects, routes
/// (<c>spec/rest-api.md</c> section 2).</summary>
public sealed class HttpFace : IHttpApplication<Exchange>, IAsyncDisposable
{
    // The original allows this much beyond max_header_bytes.
    private const int HeaderSlack = 4096;

    // Request targets up to this length need no exact count of the head's size.
    private const int ShortTarget = 256;

    private readonly HttpFaceOptions options;
    private readonly Router router;
    private readonly AccessLog accessLog;
    private readonly ILogger logger;
    private readonly TimeProvider time;
    private readonly CorsPolicy cors;
    private readonly Authentication? authentication;
    private readonly int headLimit;
    private readonly ServiceProvider services;
    private readonly DiagnosticListener diagnostics;
    private readonly IServer server;

    /// <summary>Prepares a face; nothing listens yet.</summary>
    /// <param name="options">How it listens.</param>
    /// <param name="router">What it answers.</param>
    /// <param name="accessLog">Where requests are logged.</param>
    /// <param name="loggers">For the server's own messages and for failures of handlers.</param>
    /// <param name="time">For tokens and timeouts.</param>
    public HttpFace(HttpFaceOptions options, Router router, AccessLog accessLog, ILoggerFactory loggers, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        this.options = options;
        this.router = router;
        this.accessLog = accessLog;
        this.time = time;
        logger = loggers.CreateLogger(options.Name);
        cors = new CorsPolicy(options.Cors);
        authentication = options.Credentials is null ? null : new Authentication(options.Credentials, time);
        headLimit = options.MaxHeaderBytes + HeaderSlack;
        diagnostics = new DiagnosticListener("Cluster.Gateway.Http");
        diagnostics.Subscribe(new MalformedRequests(), name => name == MalformedRequests.EventName);
        services = KestrelServices.Build(Configure, diagnostics, loggers);
        server = services.GetRequiredService<IServer>();
    }

    /// <summary>The authentication of this face; null when it is open to all.</summary>
    public Authentication? Authentication => authentication;

    /// <summary>The ports really listened on, after <see cref="StartAsync"/>.</summary>
    public IReadOnlyCollection<string> Addresses => server.Features.Get<IServerAddressesFeature>()?.Addresses.ToArray() ?? [];

    /// <summary>Listens.</summary>
    /// <exception cref="IOException">A port is in use or an address is not ours.</exception>
    public async Task StartAsync(CancellationToken cancellation)
    {
        foreach (EndPoint endpoint in options.Endpoints)
            if (endpoint is UnixDomainSocketEndPoint unix) RemoveStaleSocket(unix);
        try
        {
            await server.StartAsync(this, cancellation).ConfigureAwait(false);
        }
        catch (IOException error) when (error.InnerException is AddressInUseException)
        {
            throw new IOException($"listen {Describe(Refused(error))}: bind: address already in use", error);
        }
        catch (SocketException error)
        {
            throw new IOException($"listen {Describe(options.Endpoints[0])}: bind: {error.Message}", error);
        }

        foreach (string address in Addresses) GatewayLog.Listening(logger, options.Name.ToUpperInvariant(), authentication is null ? "HTTP" : "HTTP - authenticated", ToMultiaddress(address));
    }

    /// <summary>Kestrel names the address in its message.</summary>
    private EndPoint Refused(IOException error) =>
        options.Endpoints.FirstOrDefault(endpoint => error.Message.Contains($"//{endpoint}:", StringComparison.Ordinal) || error.Message.Contains($"//{endpoint}", StringComparison.Ordinal)) ?? options.Endpoints[0];

    private static string Describe(EndPoint endpoint) => endpoint switch
    {
        IPEndPoint { AddressFamily: AddressFamily.InterNetworkV6 } => $"tcp6 {endpoint}",
        IPEndPoint => $"tcp4 {endpoint}",
        _ => $"unix {endpoint}",
    };

    /// <summary>From Kestrel's <c>http://127.0.0.1:9094</c> and <c>http://unix:/path</c>.</summary>
    private static string ToMultiaddress(string address)
    {
        string rest = address[(address.IndexOf("://", StringComparison.Ordinal) + 3)..];
        if (rest.StartsWith("unix:", StringComparison.Ordinal)) return $"/unix{rest["unix:".Length..]}";
        return IPEndPoint.TryParse(rest, out IPEndPoint? endpoint)
            ? $"/{(endpoint.AddressFamily == AddressFamily.InterNetworkV6 ? "ip6" : "ip4")}/{endpoint.Address}/tcp/{endpoint.Port}"
            : address;
    }

    /// <summary>Takes no new connections and lets the requests under way end until cancelled.</summary>
    public Task StopAsync(CancellationToken cancellation) => server.StopAsync(cancellation);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await services.DisposeAsync().ConfigureAwait(false);
        diagnostics.Dispose();
        await accessLog.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Exchange CreateContext(IFeatureCollection contextFeatures)
    {
        Exchange exchange;
        if (contextFeatures is IHostContextContainer<Exchange> connection)
            exchange = connection.HostContext ??= new Exchange { ExtraHeaders = options.ExtraHeaders };
        else exchange = new Exchange { ExtraHeaders = options.ExtraHeaders };
        exchange.Begin(contextFeatures);
        return exchange;
    }

    /// <inheritdoc/>
    public void DisposeContext(Exchange context, Exception? exception)
    {
    }

    /// <inheritdoc/>
    public async Task ProcessRequestAsync(Exchange context)
    {
        ArgumentNullException.ThrowIfNull(context);
        using ITimer? limit = StartTimeLimit(context);
        try
        {
            await AnswerAsync(context).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not BadHttpRequestException && context.Aborted.IsCancellationRequested)
        {
            // The client has gone; nobody is left to be told.
        }
        catch (Exception error) when (error is not BadHttpRequestException)
        {
            GatewayLog.HandlerFailed(logger, context.Method, context.RawTarget, error);
            if (context.HasStarted) context.Abort();
            else await context.AnswerErrorAsync(500, error.Message).ConfigureAwait(false);
        }

        if (accessLog.IsEnabled) await accessLog.WriteAsync(context).ConfigureAwait(false);
    }

    private ValueTask AnswerAsync(Exchange exchange)
    {
        if (!exchange.TryReadTarget()) return RefuseAsync(exchange, 400, "400 Bad Request");
        if (IsHeadTooLarge(exchange)) return RefuseAsync(exchange, 431, "431 Request Header Fields Too Large");
        IHeaderDictionary request = exchange.RequestHeaders;
        if (request.Expect.Count > 0 && !string.Equals(request.Expect, "100-continue", StringComparison.OrdinalIgnoreCase))
        {
            exchange.CloseAfterwards();
            exchange.AnswerEmpty(417, json: false);
            return ValueTask.CompletedTask;
        }

        if (authentication is not null && !Authentication.IsOpen(exchange.Method, exchange.Path))
        {
            Authentication.Verdict verdict = authentication.Judge(request);
            if (verdict.Refusal is not null)
            {
                exchange.ResponseHeaders["Www-Authenticate"] = verdict.Challenges;
                return exchange.AnswerErrorAsync(401, verdict.Refusal);
            }

            exchange.User = verdict.User;
        }

        if (CorsPolicy.IsPreflight(exchange.Method, request))
        {
            cors.AnswerPreflight(request, exchange.ResponseHeaders);
            exchange.AnswerEmpty(204, json: false);
            return ValueTask.CompletedTask;
        }

        cors.Decorate(exchange.Method, request, exchange.ResponseHeaders);
        if (Redirects.WithoutTrailingSlash(exchange.Target) is { } stripped) return RedirectAsync(exchange, 307, stripped);
        if (Redirects.ToCleanPath(exchange.Target) is { } clean) return RedirectAsync(exchange, 301, clean);
        switch (router.Find(exchange.Method, exchange.Path, out RequestHandler? handler, out RouteParameters parameters))
        {
            case Router.Result.Found:
                exchange.Parameters = parameters;
                return handler!(exchange);
            case Router.Result.MethodNotAllowed:
                exchange.AnswerEmpty(405, json: false);
                return ValueTask.CompletedTask;
            default:
                return exchange.AnswerErrorAsync(404, "not found");
        }
    }

    private static ValueTask RefuseAsync(Exchange exchange, int status, string text)
    {
        exchange.CloseAfterwards();
        return exchange.AnswerTextAsync(status, "text/plain; charset=utf-8", text);
    }

    private static ValueTask RedirectAsync(Exchange exchange, int status, string location)
    {
        exchange.ResponseHeaders.Location = location;
        if (status == 307 && (exchange.Method is "GET" or "HEAD"))
            return exchange.AnswerTextAsync(status, "text/html; charset=utf-8", Redirects.Body(location, "Temporary Redirect"));
        exchange.AnswerEmpty(status, json: false);
        return ValueTask.CompletedTask;
    }

    /// <summary>Kestrel limits the request line and the headers each by itself; the original limits their sum.</summary>
    private bool IsHeadTooLarge(Exchange exchange)
    {
        if (exchange.RawTarget.Length <= ShortTarget) return false;
        long size = exchange.RawTarget.Length;
        foreach ((string name, Microsoft.Extensions.Primitives.StringValues values) in exchange.RequestHeaders)
            foreach (string? value in values) size += name.Length + (value?.Length ?? 0) + 4;
        return size > headLimit;
    }

    private ITimer? StartTimeLimit(Exchange exchange)
    {
        TimeSpan limit = (options.ReadTimeout, options.WriteTimeout) switch
        {
            ({ Ticks: 0 }, var write) => write,
            (var read, { Ticks: 0 }) => read,
            var (read, write) => read < write ? read : write,
        };
        return limit == TimeSpan.Zero ? null : time.CreateTimer(static state => ((Exchange)state!).Abort(), exchange, limit, Timeout.InfiniteTimeSpan);
    }

    private void Configure(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.AllowHostHeaderOverride = true;
        // The original takes any byte in a header.
        kestrel.RequestHeaderEncodingSelector = static _ => Encoding.Latin1;
        KestrelServerLimits limits = kestrel.Limits;
        limits.MaxRequestBodySize = null;
        limits.MinRequestBodyDataRate = null;
        limits.MinResponseDataRate = null;
        limits.MaxRequestHeaderCount = int.MaxValue;
        limits.MaxRequestLineSize = headLimit;
        limits.MaxRequestHeadersTotalSize = headLimit - ShortTarget;
        limits.KeepAliveTimeout = OrNone(options.IdleTimeout);
        limits.RequestHeadersTimeout = OrNone(options.ReadHeaderTimeout);
        foreach (EndPoint endpoint in options.Endpoints)
        {
            if (endpoint is UnixDomainSocketEndPoint unix) kestrel.ListenUnixSocket(unix.ToString()!, Configure);
            else kestrel.Listen(endpoint, Configure);
        }
    }

    private void Configure(ListenOptions listener)
    {
        listener.Protocols = HttpProtocols.Http1;
        if (options.Certificates is { Count: > 0 } certificates) UseTls(listener, certificates);
        listener.Use(MalformedRequests.Watch);
    }

    private static void UseTls(ListenOptions listener, X509Certificate2Collection certificates)
    {
        listener.UseHttps(new HttpsConnectionAdapterOptions
        {
            ServerCertificate = certificates[0],
            ServerCertificateChain = certificates,
            SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ClientCertificateMode = ClientCertificateMode.NoCertificate,
            OnAuthenticate = (_, tls) => tls.CipherSuitesPolicy = OperatingSystem.IsLinux() ? new CipherSuitesPolicy(CipherSuites) : null,
        });
    }

    // spec/rest-api.md section 1.2, and those of TLS 1.3.
    private static readonly TlsCipherSuite[] CipherSuites =
    [
        TlsCipherSuite.TLS_AES_128_GCM_SHA256,
        TlsCipherSuite.TLS_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256,
        TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
        TlsCipherSuite.TLS_RSA_WITH_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_RSA_WITH_AES_256_CBC_SHA,
    ];

    private static TimeSpan OrNone(TimeSpan limit) => limit == TimeSpan.Zero ? Timeout.InfiniteTimeSpan : limit;

    /// <summary>A socket left by a killed process would keep us from listening; one that answers is somebody else's.</summary>
    private static void RemoveStaleSocket(UnixDomainSocketEndPoint endpoint)
    {
        string path = endpoint.ToString()!;
        if (!File.Exists(path)) return;
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(endpoint);
        }
        catch (SocketException)
        {
            File.Delete(path);
            return;
        }

        throw new IOException($"listen unix {path}: bind: address already in use");
    }
}
