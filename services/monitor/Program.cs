using Cluster.Hosting;
using Cluster.Monitor;

return await ServiceHost.RunAsync(ServiceName.Monitor, args, MonitorParts.AddAsync);
