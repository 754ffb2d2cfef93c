using Cluster.Consensus;
using Cluster.Hosting;

return await ServiceHost.RunAsync(ServiceName.Consensus, args, Composition.Configure);
