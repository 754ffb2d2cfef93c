using System.Net;
using System.Net.Sockets;
using Cluster.Hosting.Clients;
using Cluster.Hosting.Configuration;
using Cluster.Hosting.Health;
using Cluster.Hosting.Lifetime;
using Cluster.Hosting.Logging;
using Cluster.Hosting.Reflection;
using Cluster.Hosting.Server;
using Cluster.Hosting.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Hosting;

/// <summary>Runs a service from its start to its end.</summary>
public static class ServiceHost
{
    /// <summary>A stop that takes longer is cut; the supervisor waits a little longer than this.</summary>
    public static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Runs a service: <c>return await ServiceHost.RunAsync(ServiceName.Tracker, args, service => { ... });</c>
    /// </summary>
    /// <param name="service">Which one.</param>
    /// <param name="arguments">The arguments of the process.</param>
    /// <param name="configure">Adds the parts. A <see cref="ServiceStartException"/> from here or from a part's start ends the process
    /// with <see cref="ServiceStartException.ExitCode"/> and its message on standard error.</param>
    /// <returns>The exit code: 0 after a stop in order.</returns>
    public static async Task<int> RunAsync(ServiceName service, string[] arguments, Action<ServiceBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        return await RunAsync(service, arguments, builder =>
        {
            configure(builder);
            return Task.CompletedTask;
        });
    }

    /// <inheritdoc cref="RunAsync(ServiceName, string[], Action{ServiceBuilder})"/>
    public static async Task<int> RunAsync(ServiceName service, string[] arguments, Func<ServiceBuilder, Task> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        try
        {
            var options = ServiceOptions.Read(service, arguments, ServiceOptions.ProcessEnvironment());
            using var output = LogOutput.FromEnvironment(options.Variable, TimeProvider.System);
            await using var application = await BuildAsync(options, output, configure, CancellationToken.None);
            return await RunAsync(application);
        }
        catch (ServiceStartException error)
        {
            await Console.Error.WriteLineAsync(error.Message);
            return ServiceStartException.ExitCode;
        }
    }

    private static async Task<int> RunAsync(WebApplication application)
    {
        var context = application.Services.GetRequiredService<ServiceContext>();
        Exception? failure = null;
        // Noted before the stop begins: what fails only because of the stop is none.
        var noted = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var noting = application.Lifetime.ApplicationStopping.Register(() => noted.TrySetResult(Failure(application.Services)));
        try
        {
            await application.StartAsync();
            context.Health.SetListening();
            await application.WaitForShutdownAsync();
        }
        catch (OperationCanceledException) when (application.Lifetime.ApplicationStopping.IsCancellationRequested)
        {
            // Stopped while it started.
        }
        catch (Exception error) when (error is not ServiceStartException)
        {
            failure = error;
        }

        // Who waits for the stop may go on before the note is made: both hang on the same signal, and the later of them is told first.
        if (application.Lifetime.ApplicationStopping.IsCancellationRequested)
            failure = await noted.Task ?? failure;
        if (failure is null)
            return context.ExitCode;
        HostLog.Failed(context.Logger("service"), failure, context.Options.Service);
        return 1;
    }

    /// <summary>Why one of the parts that run in the background ended, which stops the host; null when none did.</summary>
    private static Exception? Failure(IServiceProvider services) =>
        services.GetServices<IHostedService>().OfType<BackgroundService>().Select(static part => part.ExecuteTask?.Exception?.InnerException).FirstOrDefault(static e => e is not null);

    /// <summary>Builds the application of a service without starting it; for tests, which run services within their process.</summary>
    internal static async Task<WebApplication> BuildAsync(
        ServiceOptions options, LogOutput output, Func<ServiceBuilder, Task> configure, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.SetMinimumLevel(LogLevel.Trace).AddProvider(new FacilityLoggerProvider(options.LogLevels, output));
        // The loggers are needed before the container exists; the same provider serves both.
        var loggers = LoggerFactory.Create(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(new FacilityLoggerProvider(options.LogLevels, output)));
        // A supervisor logged what there is to say about the configuration.
        var (configuration, _) = await ConfigurationFile.LoadAsync(
            options.Folder,
            options.Environment,
            checkTlsFiles: options.Service == ServiceName.Gateway,
            line => ConfigurationLog.Write(loggers, line, options.Supervised),
            cancellationToken);
        var endpoints = new ServiceEndpoints(options.Folder, options.Variable);
        var endpoint = endpoints.Of(options.Service);
        var token = configuration.Cluster.Secret.IsEmpty ? null : ServiceToken.FromSecret(configuration.Cluster.Secret.Span);
        var tls = ServiceTls.FromEnvironment(options.Variable);
        var catalog = new DescriptorCatalog();
        var health = new ServiceHealth();
        var metrics = new MetricsCollector(options.Service);
        var channels = new ServiceChannels(endpoints, token, tls);
        var context = new ServiceContext(options, configuration, endpoints, channels, health, metrics, loggers);

        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Listen(kestrel, endpoint, endpoints, tls));
        builder.Services.AddRoutingCore();
        builder.Services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = ServiceChannels.MaximumMessageBytes;
            grpc.MaxSendMessageSize = ServiceChannels.MaximumMessageBytes;
            grpc.Interceptors.Add<FailureInterceptor>();
        });
        builder.Services.Configure<HostOptions>(static host => host.ShutdownTimeout = StopLimit);
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton<IHostLifetime, ProcessLifetime>();
        builder.Services.AddSingleton<FailureInterceptor>();
        builder.Services.AddSingleton(context);
        builder.Services.AddSingleton(configuration);
        builder.Services.AddSingleton(endpoints);
        builder.Services.AddSingleton(channels);
        builder.Services.AddSingleton(health);
        builder.Services.AddSingleton(metrics);
        builder.Services.AddSingleton(catalog);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddHostedService<IdleTrim>();

        var service = new ServiceBuilder(context, builder.Services, catalog);
        service.MapGrpc<HealthService>();
        service.MapGrpc<ReflectionService>();
        service.MapGrpc<ServiceInfoService>();
        if (options.Service == ServiceName.Gateway && configuration.Metrics.EnableStats)
            service.ServeMetrics(MetricsEndpoint.Address(configuration.Metrics.PrometheusEndpoint));
        await configure(service);

        var application = builder.Build();
        if (endpoint is ServiceEndpoint.Tcp)
        {
            var required = token ?? throw new ServiceStartException(
                $"opening the {options.Service} endpoint {endpoint}",
                "services speak over TCP only in a cluster with a secret: set cluster.secret or CLUSTER_SECRET, or use a unix: endpoint");
            application.Use(next => http => TokenCheck.InvokeAsync(http, required, next));
        }

        application.UseRouting();
        service.Map(application);
        application.Lifetime.ApplicationStopping.Register(health.SetStopping);
        return application;
    }

    private static void Listen(KestrelServerOptions kestrel, ServiceEndpoint endpoint, ServiceEndpoints endpoints, ServiceTls? tls)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;
        // One connection carries all calls of another service.
        kestrel.Limits.Http2.MaxStreamsPerConnection = 1000;
        kestrel.Limits.Http2.InitialStreamWindowSize = 1 << 20;
        kestrel.Limits.Http2.InitialConnectionWindowSize = 4 << 20;
        if (endpoint is ServiceEndpoint.Socket socket)
        {
            endpoints.CreateSocketFolder();
            Directory.CreateDirectory(Path.GetDirectoryName(socket.SocketPath)!);
            // Left by a process that was killed. The supervisor lets only one process of a service run.
            File.Delete(socket.SocketPath);
            kestrel.ListenUnixSocket(socket.SocketPath, static listen => listen.Protocols = HttpProtocols.Http2);
            return;
        }

        var tcp = (ServiceEndpoint.Tcp)endpoint;
        void Secure(ListenOptions listen)
        {
            listen.Protocols = HttpProtocols.Http2;
            if (!tcp.Tls)
                return;
            if (tls?.Certificate is not { } certificate)
            {
                throw new ServiceStartException(
                    $"opening the endpoint {tcp}", "https needs a certificate: set CLUSTER_TLS_CERT_FILE and CLUSTER_TLS_KEY_FILE");
            }

            listen.UseHttps(certificate);
        }

        // The variable names the service as the others find it; a name that is not an address means every interface of the container.
        if (IPAddress.TryParse(tcp.Host, out var address))
            kestrel.Listen(address, tcp.Port, Secure);
        else if (tcp.Host == "localhost")
            kestrel.Listen(IPAddress.Loopback, tcp.Port, Secure);
        else
            kestrel.ListenAnyIP(tcp.Port, Secure);
    }
}

internal static partial class HostLog
{
    [LoggerMessage(EventId = 9401, Level = LogLevel.Critical, Message = "the {Service} service failed")]
    public static partial void Failed(ILogger logger, Exception exception, ServiceName service);

    [LoggerMessage(EventId = 9402, Level = LogLevel.Information, Message = "{Text}")]
    public static partial void Stopping(ILogger logger, string text);
}
