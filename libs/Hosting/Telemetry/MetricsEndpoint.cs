using System.Net;
using Cluster.Contracts.V1;
using Cluster.Hosting.Clients;
using Grpc.Core;
using Libp2p;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Hosting.Telemetry;

/// <summary>
/// The page <c>/metrics</c> of the peer on its configured port (spec/observability.md 3): the pages of the five services in one.
/// A service that does not answer in time is left out. Anything else is 404.
/// </summary>
internal sealed class MetricsEndpoint(
    IPEndPoint address, ServiceName self, MetricsCollector own, ServiceChannels channels, ILoggerFactory loggers) : IHostedService, IAsyncDisposable
{
    private static readonly TimeSpan patience = TimeSpan.FromSeconds(2);

    private readonly ILogger logger = loggers.CreateLogger("observations");
    private WebApplication? web;

    /// <summary>The port that a multiaddress of the configuration names.</summary>
    /// <exception cref="ServiceStartException">It is none of an IP address and a TCP port.</exception>
    public static IPEndPoint Address(Multiaddr address) =>
        address.ToString().Split('/') is ["", "ip4" or "ip6", var host, "tcp", var port, ..]
            ? new IPEndPoint(IPAddress.Parse(host), int.Parse(port, System.Globalization.CultureInfo.InvariantCulture))
            : throw new ServiceStartException("setting up Metrics", $"{address} is not an IP address with a TCP port");

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(address, static listen => listen.Protocols = HttpProtocols.Http1);
        });
        builder.Services.AddSingleton(loggers);
        // The process has one lifetime, and it is not this one.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        web = builder.Build();
        web.Run(AnswerAsync);
        try
        {
            await web.StartAsync(cancellationToken);
        }
        catch (IOException error)
        {
            var cause = error.InnerException is AddressInUseException ? "address already in use" : error.Message;
            throw new ServiceStartException("setting up Metrics", $"Failed to run Prometheus /metrics endpoint: listen tcp {address}: bind: {cause}", error);
        }

        MetricsLog.Enabled(logger, $"/{(address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? "ip4" : "ip6")}/{address.Address}/tcp/{address.Port}");
    }

    public Task StopAsync(CancellationToken cancellationToken) => web?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (web is not null)
            await web.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        if (context.Request.Path != "/metrics")
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            context.Response.ContentType = "text/plain; charset=utf-8";
            context.Response.Headers.XContentTypeOptions = "nosniff";
            await context.Response.WriteAsync("404 page not found\n", context.RequestAborted);
            return;
        }

        var pages = await Task.WhenAll(ServiceName.All.Select(service => PageAsync(service, context.RequestAborted)));
        context.Response.ContentType = PrometheusText.ContentType;
        await context.Response.WriteAsync(PrometheusText.Merge(pages), context.RequestAborted);
    }

    private async Task<string> PageAsync(ServiceName service, CancellationToken cancellationToken)
    {
        if (service == self)
            return own.Print();
        try
        {
            var client = new ServiceInfo.ServiceInfoClient(channels.For(service));
            var response = await client.MetricsAsync(new MetricsRequest(), deadline: DateTime.UtcNow + patience, cancellationToken: cancellationToken);
            return response.Text.ToStringUtf8();
        }
        catch (RpcException error)
        {
            MetricsLog.Missing(logger, service, error.Status.Detail);
            return "";
        }
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

internal static partial class MetricsLog
{
    [LoggerMessage(EventId = 9101, Level = LogLevel.Information, Message = "stats collection enabled on {Address}")]
    public static partial void Enabled(ILogger logger, string address);

    [LoggerMessage(EventId = 9102, Level = LogLevel.Warning, Message = "no metrics from {Service}: {Reason}")]
    public static partial void Missing(ILogger logger, ServiceName service, string reason);
}
