using System.Diagnostics;
using Cluster.Hosting;

namespace Cluster.Service.Supervision;

/// <summary>One run of a service: its process, which ends when its standard input does. Safe to use after its end.</summary>
internal sealed class ServiceProcess
{
    private readonly Process process;
    private readonly StreamWriter input;

    private ServiceProcess(Process process)
    {
        this.process = process;
        input = process.StandardInput;
        Id = process.Id;
        Exited = ExitAsync();
    }

    public int Id { get; }

    /// <summary>Completes with the exit code when the process has ended: a signal's number plus 128 when one killed it.</summary>
    public Task<int> Exited { get; }

    /// <summary>
    /// Starts the executable beside this one. It is named without its folder, so that nothing of the user's paths - nor this program's
    /// name - stands in its command line. It writes to this process' outputs by itself.
    /// </summary>
    /// <exception cref="System.ComponentModel.Win32Exception">The executable is missing or cannot run.</exception>
    public static ServiceProcess Start(ServiceName service, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(service.Executable) { RedirectStandardInput = true, UseShellExecute = false };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return new ServiceProcess(Process.Start(start)!);
    }

    /// <summary>Asks the process to stop in order. Without a word the end of the input means that this process died.</summary>
    public void RequestStop()
    {
        try
        {
            input.Write("stop\n");
            input.Close();
        }
        catch (IOException)
        {
            // It ended already.
        }
    }

    /// <summary>Ends the process at once.</summary>
    public void Kill()
    {
        try
        {
            process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It ended already.
        }
    }

    private async Task<int> ExitAsync()
    {
        await process.WaitForExitAsync(CancellationToken.None);
        var code = process.ExitCode;
        process.Dispose();
        return code;
    }
}
