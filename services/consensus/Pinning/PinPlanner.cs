using Cluster.Consensus.Replication;
using Cluster.Model;
using Cluster.PinState;
using Ipld;
using Libp2p;
using Microsoft.Extensions.Logging;

namespace Cluster.Consensus.Pinning;

/// <summary>
/// Decides what becomes of a request to pin: defaults, merge with the existing pin, validation, allocation (spec/behaviour.md 3 and
/// 5). Changes nothing; what it gives back is to be committed.
/// </summary>
public sealed class PinPlanner(PinStore state, IPinAllocator allocator, ClusterSettings settings, TimeProvider clock, ILogger logger)
{
    private static readonly IReadOnlyCollection<PeerId> Nobody = [];

    /// <summary>The pin to commit for a request.</summary>
    /// <param name="requested">As the user, or the adder, asks for it; allocations in it are kept.</param>
    /// <exception cref="ClusterException">Refused, with the text of the specification.</exception>
    public Pin PlanPin(Pin requested)
    {
        RefuseFollower();
        if (!requested.Cid.IsDefined)
            throw new ClusterException(ClusterErrorKind.InvalidArgument, PinValidation.BadPin);
        if (requested.Options.PinUpdate.IsDefined && requested.Options.PinUpdate != requested.Cid)
            return PlanUpdate(requested);

        return Plan(requested, Nobody);
    }

    /// <summary>A stored pin, allocated anew without some peers (spec/behaviour.md 9.2).</summary>
    /// <remarks>
    /// A pin that once was an update stays an ordinary one here; the original copies its source again, or fails when that is gone.
    /// </remarks>
    public Pin PlanRepin(Pin stored, IReadOnlyCollection<PeerId> excluded) => Plan(stored with { Allocations = [] }, excluded);

    private Pin Plan(Pin requested, IReadOnlyCollection<PeerId> excluded)
    {
        var existing = state.Find(requested.Cid);
        var pin = WithDefaults(requested);
        var now = GoTime.Now(clock);
        if (PinValidation.Check(pin, existing, now) is { } wrong)
            throw new ClusterException(ClusterErrorKind.FailedPrecondition, wrong);
        pin = pin with { Timestamp = now };
        if (pin.Type != PinType.Meta && pin.Allocations is null or { Count: 0 })
            pin = pin with { Allocations = allocator.Allocate(pin, existing, excluded) };
        if (logger.IsEnabled(LogLevel.Information) && pin.Type != PinType.Meta)
            Log.Pinning(logger, pin.Cid, pin.Allocations is { Count: > 0 } peers ? $"on [{string.Join(' ', peers)}]" : "everywhere");
        return pin;
    }

    /// <summary>Where the blocks of an add go: what <see cref="PlanPin"/> would allocate (spec/behaviour.md 8.4).</summary>
    /// <param name="requested">The pin that will follow; its CID is undefined for the first blocks.</param>
    /// <param name="everybody">The peers that count when the pin is to be everywhere.</param>
    public IReadOnlyList<PeerId> PlanBlocks(Pin requested, Func<IReadOnlyList<PeerId>> everybody)
    {
        RefuseFollower();
        var existing = requested.Cid.IsDefined ? state.Find(requested.Cid) : null;
        var pin = WithDefaults(requested);
        var now = GoTime.Now(clock);
        var wrong = pin.Cid.IsDefined ? PinValidation.Check(pin, existing, now) : CheckWithoutCid(pin, now);
        if (wrong is not null)
            throw new ClusterException(ClusterErrorKind.FailedPrecondition, wrong);
        return pin.Options.Replication.Minimum < 0 ? everybody() : allocator.Allocate(pin, existing, Nobody);
    }

    /// <summary>Refuses a write when this peer follows only.</summary>
    public void RefuseFollower()
    {
        if (settings.FollowerMode)
            throw new ClusterException(ClusterErrorKind.FailedPrecondition, PinValidation.FollowerMode);
    }

    /// <summary>A copy of the source's pin under another CID (spec/behaviour.md 5).</summary>
    private Pin PlanUpdate(Pin requested)
    {
        var options = requested.Options;
        var source = state.Find(options.PinUpdate)
            ?? throw new ClusterException(ClusterErrorKind.NotFound, PinValidation.NotInPinset);
        if (source.Type != PinType.Data)
            throw new ClusterException(ClusterErrorKind.FailedPrecondition, "this pin type cannot be updated");

        // The original overwrites whatever is pinned under the target without looking; the checks of an ordinary pin hold here too.
        var now = GoTime.Now(clock);
        var pin = source with
        {
            Cid = requested.Cid,
            Timestamp = now,
            Options = source.Options with
            {
                PinUpdate = options.PinUpdate,
                Name = options.Name.Length > 0 ? options.Name : source.Options.Name,
                ExpireAt = options.HasExpiry && options.ExpireAt > now ? options.ExpireAt : source.Options.ExpireAt,
            },
        };
        if (state.Find(requested.Cid) is { } target && target.Type != pin.Type)
            throw new ClusterException(ClusterErrorKind.FailedPrecondition, PinValidation.Check(pin, target, now) ?? "this pin type cannot be updated");
        if (logger.IsEnabled(LogLevel.Information))
            Log.Pinning(logger, pin.Cid, pin.Allocations is { Count: > 0 } peers ? $"on [{string.Join(' ', peers)}]" : "everywhere");
        return pin;
    }

    private Pin WithDefaults(Pin pin)
    {
        var factors = pin.Options.Replication.OrDefault(settings.DefaultReplication);
        if (factors != pin.Options.Replication)
            pin = pin with { Options = pin.Options with { Replication = factors } };
        return factors.IsEverywhere && pin.Allocations is not { Count: 0 } ? pin with { Allocations = [] } : pin;
    }

    private static string? CheckWithoutCid(Pin pin, GoTime now)
    {
        if (pin.Options.Replication.Validate() is { } wrong)
            return wrong;
        return !pin.Options.ExpireAt.IsZero && pin.Options.ExpireAt < now ? "pin.ExpireAt set before current time" : null;
    }
}
