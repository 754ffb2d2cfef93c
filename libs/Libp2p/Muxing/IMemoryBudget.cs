namespace Libp2p.Muxing;

/// <summary>Memory that the streams of one connection may promise to the other side.</summary>
internal interface IMemoryBudget
{
    /// <summary>Takes memory if the limits allow it.</summary>
    bool TryReserve(long bytes);

    /// <summary>Gives memory back.</summary>
    void Release(long bytes);
}

/// <summary>No limit.</summary>
internal sealed class UnlimitedMemory : IMemoryBudget
{
    public static readonly UnlimitedMemory Instance = new();

    public bool TryReserve(long bytes) => true;

    public void Release(long bytes)
    {
    }
}
