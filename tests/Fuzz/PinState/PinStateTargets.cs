using Cluster.Model;
using Cluster.PinState.Records;
using Libp2p;

namespace Fuzz.PinStateTargets;

/// <summary>Records of the pinset: what is accepted is written again in a stable form, and the view of it agrees.</summary>
public static class PinRecordTarget
{
    private static readonly PeerId Somebody = PeerId.Parse("12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB");

    /// <summary>The target.</summary>
    public static void Fuzz(ReadOnlySpan<byte> input)
    {
        Pin pin;
        try
        {
            var looked = new PinRecordView(input);
            _ = looked.IsHeldBy(Somebody);
            pin = PinRecord.Read(input);
        }
        catch (FormatException e)
        {
            Check.That(e.Message.Length > 0, "a refusal without a reason");
            return;
        }

        var written = PinRecord.ToBytes(pin);
        var again = PinRecord.Read(written);
        Check.That(PinRecord.ToBytes(again).AsSpan().SequenceEqual(written), "the stored form of a pin is not stable");
        var view = new PinRecordView(written);
        Check.That(view.Type == again.Type && view.MaxDepth == again.MaxDepth, "the view differs from the pin");
        Check.That(view.Replication == again.Options.Replication, "the view's factors differ from the pin's");
        Check.That(view.IsHeldBy(Somebody) == (again.Type != PinType.Meta && !again.IsRemoteFor(Somebody)), "the view's holders differ from the pin's");
    }
}
