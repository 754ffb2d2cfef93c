using System.Collections.Concurrent;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;

namespace Cluster.Hosting.Clients;

/// <summary>
/// Channels to the services of this peer, one a service, shared by all callers. A call made while the other process restarts waits
/// for it for a moment instead of failing; a call under way then fails with UNAVAILABLE and may be repeated.
/// </summary>
public sealed class ServiceChannels : IDisposable
{
    /// <summary>
    /// Lists carry hundreds of items a message; a block may have 2 MiB and an added one 4 MiB. Larger messages are a fault.
    /// </summary>
    public const int MaximumMessageBytes = 16 << 20;

    private readonly ServiceEndpoints endpoints;
    private readonly ServiceToken? token;
    private readonly ServiceTls? tls;
    private readonly TimeProvider clock;
    private readonly ConcurrentDictionary<ServiceName, Lazy<Entry>> entries = new();

    /// <summary>Channels of a peer.</summary>
    /// <param name="endpoints">Where the services are.</param>
    /// <param name="token">The token for calls over TCP; null when the cluster has no secret.</param>
    /// <param name="tls">What certificates to use and trust; null for the system's.</param>
    /// <param name="clock">For deadlines and pauses.</param>
    public ServiceChannels(ServiceEndpoints endpoints, ServiceToken? token, ServiceTls? tls = null, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        this.endpoints = endpoints;
        this.token = token;
        this.tls = tls;
        this.clock = clock ?? TimeProvider.System;
    }

    /// <summary>What generated clients of a service are made of: <c>new Tracker.TrackerClient(channels.For(ServiceName.Tracker))</c>.</summary>
    /// <remarks>A unary call without a deadline gets <see cref="DeadlineInterceptor.Default"/>.</remarks>
    public CallInvoker For(ServiceName service)
    {
        ArgumentNullException.ThrowIfNull(service);
        return entries.GetOrAdd(service, static (name, self) => new Lazy<Entry>(() => self.Open(name)), this).Value.Invoker;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var entry in entries.Values)
        {
            if (entry.IsValueCreated)
                entry.Value.Channel.Dispose();
        }
    }

    private Entry Open(ServiceName service)
    {
        var endpoint = endpoints.Of(service);
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = new ServiceDialer(endpoint, clock).ConnectAsync,
            EnableMultipleHttp2Connections = false,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            // Local sockets fail at once when the other process ends; only the network can lose a peer silently.
            KeepAlivePingDelay = endpoint is ServiceEndpoint.Tcp ? TimeSpan.FromSeconds(20) : Timeout.InfiniteTimeSpan,
            KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
            // A list of many items must not wait for window updates: 1 MiB a stream.
            InitialHttp2StreamWindowSize = 1 << 20,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ActivityHeadersPropagator = null,
        };
        var options = new GrpcChannelOptions
        {
            HttpHandler = new ClosedConnectionHandler(handler),
            DisposeHttpClient = true,
            MaxReceiveMessageSize = MaximumMessageBytes,
            MaxSendMessageSize = MaximumMessageBytes,
            // Retries are the callers': they know what may be repeated.
            MaxRetryAttempts = null,
        };
        string address;
        if (endpoint is ServiceEndpoint.Tcp tcp)
        {
            address = tcp.ToString();
            if (tcp.Tls && tls is not null)
                handler.SslOptions = tls.ClientOptions();
        }
        else
        {
            address = "http://localhost";
        }

        var channel = GrpcChannel.ForAddress(address, options);
        var invoker = channel.Intercept(new DeadlineInterceptor(clock));
        if (endpoint is ServiceEndpoint.Tcp && token is { } bearer)
        {
            invoker = invoker.Intercept(headers =>
            {
                headers.Add("authorization", "Bearer " + bearer.Value);
                return headers;
            });
        }

        return new Entry(channel, invoker);
    }

    private sealed record Entry(GrpcChannel Channel, CallInvoker Invoker);
}
