namespace Cluster.Model;

/// <summary>What a pin request must satisfy; every answer is the original's text, null when nothing is wrong.</summary>
public static class PinValidation
{
    public const string BadPin = "bad pin object";

    public const string FollowerMode = "this peer is configured to be in follower mode. Write operations are disabled";

    public const string NotInPinset = "pin is not part of the pinset";

    /// <summary>
    /// Checks factors, expiry and the relation to the existing pin, in the original's order (spec/behaviour.md 3.1, rows 7 to 11).
    /// <paramref name="pin"/> has its defaults applied already.
    /// </summary>
    public static string? Check(Pin pin, Pin? existing, GoTime now)
    {
        ArgumentNullException.ThrowIfNull(pin);
        if (!pin.Cid.IsDefined)
            return BadPin;
        if (pin.Options.Replication.Validate() is { } wrongFactors)
            return wrongFactors;
        if (!pin.Options.ExpireAt.IsZero && pin.Options.ExpireAt < now)
            return "pin.ExpireAt set before current time";
        if (existing is null)
            return null;
        if (existing.Type != pin.Type)
        {
            return "cannot repin CID with different tracking method, clear state with pin rm to proceed. "
                + $"New: {pin.Type.ToText()}. Was: {existing.Type.ToText()}";
        }

        if (PinDepth.ToMode(existing.MaxDepth) == PinMode.Recursive && pin.Options.Mode != PinMode.Recursive)
        {
            return "cannot repin a CID which is already pinned in recursive mode (new pin is pinned as "
                + $"{pin.Options.Mode.ToText()}). Unpin it first.";
        }

        return CheckType(pin);
    }

    /// <summary>What each type of pin requires (spec/behaviour.md 3.3).</summary>
    public static string? CheckType(Pin pin)
    {
        ArgumentNullException.ThrowIfNull(pin);
        switch (pin.Type)
        {
            case PinType.Data:
                return pin.Reference.IsDefined ? "data pins should not reference other pins" : null;
            case PinType.Shard:
                return pin.MaxDepth != 1 ? "must pin shards go depth 1" : null;
            case PinType.ClusterDag:
                if (pin.MaxDepth != 0)
                    return "must pin roots directly";
                return pin.Reference.IsDefined ? null : "clusterDAG pins should reference a Meta pin";
            case PinType.Meta:
                if (pin.Allocations is { Count: > 0 })
                    return "meta pin should not specify allocations";
                return pin.Reference.IsDefined ? null : "metaPins should reference a ClusterDAG";
            default:
                return "unrecognized pin type";
        }
    }
}
