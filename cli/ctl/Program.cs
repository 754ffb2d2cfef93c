using Cluster.CommandLine;
using Cluster.Ctl;

using var interrupted = new CancellationTokenSource();
Console.CancelKeyPress += (_, signal) =>
{
    signal.Cancel = true;
    interrupted.Cancel();
};
return await CommandLineRunner.RunAsync(CtlProgram.Create(), args, Channels.OfProcess(), interrupted.Token);
