namespace Cluster.Ctl;

/// <summary>Exit codes of the program (spec/ctl.md 2).</summary>
internal static class ExitCodes
{
    public const int Success = 0;

    /// <summary>Bad arguments, no answer, local errors.</summary>
    public const int Failure = 1;

    /// <summary>The peer answered with an error.</summary>
    public const int PeerError = 2;

    public const int WaitTimeout = 62;

    public const int Cancelled = 125;
}
