using Cluster.Connector;
using Cluster.Hosting;

return await ServiceHost.RunAsync(ServiceName.Connector, args, ConnectorParts.Add);
