using System.Runtime.InteropServices;

namespace Cluster.Service.Supervision;

/// <summary>
/// SIGINT, SIGTERM and SIGHUP: the first stops in order, the second says that it takes long, the third ends at once
/// (spec/service-cli.md 2.2).
/// </summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly Action<string> say;
    private readonly Action kill;
    private readonly PosixSignalRegistration[] registrations;
    private int count;

    /// <param name="say">Writes to standard error.</param>
    /// <param name="kill">Ends everything at once; called at the third signal.</param>
    public StopSignals(Action<string> say, Action kill)
    {
        this.say = say;
        this.kill = kill;
        registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnSignal),
        ];
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Stop => stop.Token;

    public void Dispose()
    {
        foreach (var registration in registrations)
            registration.Dispose();
        stop.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        switch (Interlocked.Increment(ref count))
        {
            case 1:
                stop.Cancel();
                break;
            case 2:
                say("""

                    !!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!
                    Shutdown is taking too long! Press Ctrl-c again to kill the peer at once.
                    Note that this may corrupt its local state.
                    !!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!

                    """);
                break;
            default:
                say("exiting cluster NOW");
                kill();
                break;
        }
    }
}
