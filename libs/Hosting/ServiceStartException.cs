namespace Cluster.Hosting;

/// <summary>
/// A start that cannot succeed until somebody changes something: a configuration that does not load, a port in use, a locked folder.
/// The process prints <c>error &lt;doing&gt;: &lt;cause&gt;</c> and ends with <see cref="ExitCode"/>, at which the supervisor gives up
/// instead of starting it again.
/// </summary>
public sealed class ServiceStartException : Exception
{
    /// <summary>The exit code of a start that is not to be repeated (EX_CONFIG of sysexits.h).</summary>
    public const int ExitCode = 78;

    /// <summary>A failed start.</summary>
    /// <param name="doing">What failed, as the original words it: <c>creating REST API component</c>.</param>
    /// <param name="cause">Why.</param>
    /// <param name="innerException">The exception behind it.</param>
    public ServiceStartException(string doing, string cause, Exception? innerException = null)
        : base($"error {doing}: {cause}", innerException)
    {
        Doing = doing;
        Cause = cause;
    }

    /// <summary>What failed.</summary>
    public string Doing { get; }

    /// <summary>Why.</summary>
    public string Cause { get; }
}
