namespace Cluster.Allocation;

/// <summary>A CID cannot be allocated. The message is the original's, as REST clients see it.</summary>
public sealed class AllocationException : Exception
{
    public AllocationException(string message)
        : base(message)
    {
    }

    public AllocationException()
    {
    }

    public AllocationException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
