using Cluster.Contracts.V1;
using Cluster.Hosting;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

// Started under the name of a service, it is that service. STUB_<SERVICE> says what it does beside serving:
// "refuse" cannot start, "leave" ends the peer once it is ready, "hang" does not stop, "crash" ends at once.
var name = Path.GetFileName(File.ReadAllText("/proc/self/cmdline").Split('\0')[0]);
var service = ServiceName.All.Single(s => s.Executable == name);
var behaviour = Environment.GetEnvironmentVariable("STUB_" + service.Name.ToUpperInvariant());
if (behaviour == "crash")
    return 3;
return await ServiceHost.RunAsync(service, args, builder =>
{
    if (behaviour == "refuse")
        throw new ServiceStartException($"creating the {service} stub", "it refuses");
    if (service == ServiceName.Consensus)
        builder.MapGrpc<ReadyCluster>();
    if (behaviour == "hang")
        builder.Services.AddHostedService<Hanging>();
    if (behaviour == "leave")
        builder.Services.AddHostedService<Leaving>();
});

internal sealed class ReadyCluster : Cluster.Contracts.V1.Cluster.ClusterBase
{
    public override Task<ReadyResponse> Ready(ReadyRequest request, ServerCallContext context) => Task.FromResult(new ReadyResponse { Ready = true });
}

internal sealed class Hanging : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.Delay(Timeout.Infinite, CancellationToken.None);
}

/// <summary>Ends the peer when somebody touches the file LEAVE in the configuration folder.</summary>
internal sealed class Leaving(ServiceContext context, IHostApplicationLifetime lifetime) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var watcher = new FileSystemWatcher(context.Folder, "LEAVE") { EnableRaisingEvents = true };
        watcher.Created += (_, _) => seen.TrySetResult();
        await seen.Task.WaitAsync(stoppingToken);
        context.ExitCode = ServiceContext.PeerLeftExitCode;
        lifetime.StopApplication();
    }
}
