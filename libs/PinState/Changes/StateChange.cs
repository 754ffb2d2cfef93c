namespace Cluster.PinState.Changes;

/// <summary>What happened to a pin.</summary>
public enum ChangeKind : byte
{
    /// <summary>Added, or replaced.</summary>
    Put = 1,

    /// <summary>Taken out.</summary>
    Removed = 2,
}

/// <summary>One change of the state.</summary>
/// <param name="Sequence">Its number; grows by one with each change.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Record">The pin as it is, or as it was when it was removed; see <see cref="Records.PinRecord"/>.</param>
public readonly record struct StateChange(ulong Sequence, ChangeKind Kind, ReadOnlyMemory<byte> Record);
