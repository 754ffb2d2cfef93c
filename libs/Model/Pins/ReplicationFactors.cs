namespace Cluster.Model;

/// <summary>
/// On how many peers a pin lives: at least <paramref name="Minimum"/>, if possible <paramref name="Maximum"/>. 0 takes the peer's
/// default, -1 for both means everywhere. Values come from users as they are; <see cref="Validate"/> judges them.
/// </summary>
public readonly record struct ReplicationFactors(int Minimum, int Maximum)
{
    /// <summary>-1/-1: every peer holds the pin.</summary>
    public static ReplicationFactors Everywhere => new(-1, -1);

    public bool IsEverywhere => Minimum == -1 && Maximum == -1;

    /// <summary>Each factor that is 0 is replaced by the default, separately (spec/behaviour.md 3.1).</summary>
    public ReplicationFactors OrDefault(ReplicationFactors defaults) =>
        new(Minimum == 0 ? defaults.Minimum : Minimum, Maximum == 0 ? defaults.Maximum : Maximum);

    /// <summary>What is wrong, in the original's words and order (spec/behaviour.md 3.2); null when nothing is.</summary>
    public string? Validate()
    {
        if (Minimum == 0 || Maximum == 0)
            return "cluster.replication_factor_min and max must be set";
        if (Minimum > Maximum)
            return "cluster.replication_factor_min is larger than max";
        if (Minimum < -1)
            return "cluster.replication_factor_min is wrong";
        if (Maximum < -1)
            return "cluster.replication_factor_max is wrong";
        return (Minimum == -1) != (Maximum == -1) ? "cluster.replication_factor_min and max must be -1 when one of them is" : null;
    }

    public override string ToString() => $"{Minimum}/{Maximum}";
}
