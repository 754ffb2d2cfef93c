using Cluster.Contracts.V1;
using Cluster.Gateway;
using Cluster.Hosting;
using Microsoft.Extensions.DependencyInjection;

return await ServiceHost.RunAsync(ServiceName.Gateway, args, service =>
{
    service.Services.AddSingleton(provider => new BatchedClusterCalls(new Cluster.Contracts.V1.Cluster.ClusterClient(service.Context.Channels.For(ServiceName.Consensus))));
    service.Services.AddSingleton(provider => PeerClients.Create(service.Context, TimeProvider.System, provider.GetRequiredService<BatchedClusterCalls>()));
    service.Services.AddHostedService<RestFace>();
    if (service.Configuration.RunsRestApi)
        service.AnnounceStop("restapi", "stopping Cluster API");
});
