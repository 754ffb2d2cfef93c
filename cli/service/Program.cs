using Cluster.CommandLine;
using Cluster.Service.Commands;

return await CommandLineRunner.RunAsync(ServiceProgram.Create(), args, Channels.OfProcess(), CancellationToken.None);
