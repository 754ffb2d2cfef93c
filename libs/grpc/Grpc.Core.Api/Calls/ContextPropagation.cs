namespace Grpc.Core;

/// <summary>Which properties of a server's call pass on to the calls it makes.</summary>
public class ContextPropagationOptions
{
    /// <summary>Deadline and cancellation pass on.</summary>
    public static readonly ContextPropagationOptions Default = new();

    /// <summary>Chooses what passes on.</summary>
    public ContextPropagationOptions(bool propagateDeadline = true, bool propagateCancellation = true)
    {
        IsPropagateDeadline = propagateDeadline;
        IsPropagateCancellation = propagateCancellation;
    }

    /// <summary>Whether the deadline passes on.</summary>
    public bool IsPropagateDeadline { get; }

    /// <summary>Whether a cancellation passes on.</summary>
    public bool IsPropagateCancellation { get; }
}

/// <summary>Stands for a server's call in the options of calls it makes; only transports make it.</summary>
public abstract class ContextPropagationToken
{
    internal ContextPropagationToken()
    {
    }
}
