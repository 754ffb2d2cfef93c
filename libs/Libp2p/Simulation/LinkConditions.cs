namespace Libp2p.Simulation;

/// <summary>How a link of a simulated network behaves.</summary>
public sealed record LinkConditions
{
    /// <summary>Time that bytes are on their way.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Random addition to the delay, up to this much. Order is kept, as TCP does.</summary>
    public TimeSpan Jitter { get; init; }

    /// <summary>Share of writes, 0 to 1, that are lost and come again after <see cref="Retransmission"/>.</summary>
    public double Loss { get; init; }

    /// <summary>Time after which a lost write comes again.</summary>
    public TimeSpan Retransmission { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>No delay, no loss.</summary>
    public static LinkConditions Perfect { get; } = new();
}
