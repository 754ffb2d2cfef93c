using Cluster.CommandLine;
using Cluster.Service.Commands;
using Cluster.Service.Supervision;

BackgroundJob.ListenToInterrupt();
return await CommandLineRunner.RunAsync(ServiceProgram.Create(), args, Channels.OfProcess(), CancellationToken.None);
