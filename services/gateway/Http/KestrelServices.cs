using System.Diagnostics;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Http;

/// <summary>Collects the services of a bare Kestrel: the server alone, without a web host, middleware or routing. Each face has a
/// server of its own, because limits and timeouts are settings of a server.</summary>
internal sealed class KestrelServices : IWebHostBuilder
{
    private readonly ServiceCollection services = [];

    private KestrelServices()
    {
    }

    public static ServiceProvider Build(Action<KestrelServerOptions> configure, DiagnosticListener diagnostics, ILoggerFactory loggers)
    {
        var builder = new KestrelServices();
        builder.services.AddSingleton(loggers);
        builder.services.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        builder.services.AddSingleton<DiagnosticSource>(diagnostics);
        builder.services.AddSingleton(diagnostics);
        builder.services.AddMetrics();
        builder.services.AddSingleton<IHostEnvironment>(new HostingEnvironment { ApplicationName = "cluster-gateway", EnvironmentName = Environments.Production, ContentRootPath = AppContext.BaseDirectory });
        builder.services.AddOptions();
        builder.UseKestrelCore().UseKestrelHttpsConfiguration();
        builder.services.Configure(configure);
        return builder.services.BuildServiceProvider();
    }

    public IWebHostBuilder ConfigureServices(Action<IServiceCollection> configureServices)
    {
        configureServices(services);
        return this;
    }

    public IWebHostBuilder ConfigureServices(Action<WebHostBuilderContext, IServiceCollection> configureServices)
    {
        configureServices(new WebHostBuilderContext(), services);
        return this;
    }

#pragma warning disable ASPDEPR008 // the interface asks for it
    public IWebHost Build() => throw new NotSupportedException("only the services are used");
#pragma warning restore ASPDEPR008

    public IWebHostBuilder ConfigureAppConfiguration(Action<WebHostBuilderContext, IConfigurationBuilder> configureDelegate) => this;

    public string? GetSetting(string key) => null;

    public IWebHostBuilder UseSetting(string key, string? value) => this;
}
