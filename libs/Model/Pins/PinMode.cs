namespace Cluster.Model;

/// <summary>Whether the daemon keeps the whole DAG below a CID or the one block.</summary>
public enum PinMode
{
    Recursive = 0,
    Direct = 1,
}

/// <summary>Names of <see cref="PinMode"/> and its relation to the depth that is stored.</summary>
public static class PinModes
{
    /// <summary><c>recursive</c> or <c>direct</c>.</summary>
    public static string ToText(this PinMode mode) => mode == PinMode.Direct ? "direct" : "recursive";

    /// <summary>Anything but <c>direct</c> is recursive (spec/rest-api.md 5.3).</summary>
    public static PinMode Parse(ReadOnlySpan<char> name) => name is "direct" ? PinMode.Direct : PinMode.Recursive;

    /// <summary>The depth that a pin of this mode gets.</summary>
    public static int ToDepth(this PinMode mode) => mode == PinMode.Direct ? PinDepth.Direct : PinDepth.Recursive;
}

/// <summary>Depths of a pin: how many levels of the DAG below the CID are kept.</summary>
public static class PinDepth
{
    /// <summary>The whole DAG.</summary>
    public const int Recursive = -1;

    /// <summary>The block itself.</summary>
    public const int Direct = 0;

    /// <summary>Only depth 0 is direct, any other is recursive: the state keeps the depth, not the mode (spec/behaviour.md 1.1).</summary>
    public static PinMode ToMode(int depth) => depth == Direct ? PinMode.Direct : PinMode.Recursive;
}
