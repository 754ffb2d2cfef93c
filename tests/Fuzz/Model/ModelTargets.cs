using System.Text;
using System.Text.Json;
using Cluster.Model;
using Cluster.Model.Configuration;

namespace Fuzz.ModelTargets;

/// <summary>Pins as the shared state stores them: what is accepted is written again in a stable form.</summary>
public static class PinProtobufTarget
{
    /// <summary>The target.</summary>
    public static void Fuzz(ReadOnlySpan<byte> input)
    {
        if (!PinProtobuf.TryParse(input, out var pin, out var error))
        {
            Check.That(error.Length > 0, "a refusal without a reason");
            return;
        }

        var written = PinProtobuf.ToBytes(pin!);
        Check.That(PinProtobuf.ToBytes(PinProtobuf.Parse(written)).AsSpan().SequenceEqual(written), "the stored form of a pin is not stable");
    }
}

/// <summary>Pins in JSON, as imports and clients read them.</summary>
public static class PinJsonTarget
{
    /// <summary>The target.</summary>
    public static void Fuzz(ReadOnlySpan<byte> input)
    {
        var complaint = GoJsonSyntax.Complaint(input);
        try
        {
            var pin = ModelJsonReader.ReadPin(input.ToArray());
            Check.That(complaint is null, "bad syntax was read: " + complaint);
            var printed = ModelJson.ToText(pin, ModelJson.Write);
            Check.That(ModelJson.ToText(ModelJsonReader.ReadPin(Encoding.UTF8.GetBytes(printed)), ModelJson.Write) == printed, "a pin reads back as another");
        }
        catch (FormatException e)
        {
            Check.That(e.Message.Length > 0, "a refusal without a reason");
            Check.That(complaint is null || e.Message == complaint, $"two complaints: {complaint} and {e.Message}");
        }
    }
}

/// <summary>JSON of answers, read by clients.</summary>
public static class AnswerJsonTarget
{
    /// <summary>The target.</summary>
    public static void Fuzz(ReadOnlySpan<byte> input)
    {
        try
        {
            using var json = GoJsonSyntax.Parse(input.ToArray());
            Read(json.RootElement, static j => ModelJsonReader.ReadGlobalPinInfo(j));
            Read(json.RootElement, static j => ModelJsonReader.ReadPeerInfo(j));
            Read(json.RootElement, static j => ModelJsonReader.ReadMetric(j));
            Read(json.RootElement, static j => ModelJsonReader.ReadGlobalRepoGc(j));
            Read(json.RootElement, static j => ModelJsonReader.ReadConnectGraph(j));
            Read(json.RootElement, static j => ModelJsonReader.ReadBandwidth(j));
            Read(json.RootElement, static j => ModelJsonReader.ReadAddedOutput(j));
        }
        catch (FormatException)
        {
            // Refused, as it should be.
        }
    }

    private static void Read(JsonElement json, Action<JsonElement> read)
    {
        try
        {
            read(json);
        }
        catch (FormatException)
        {
            // Refused, as it should be.
        }
    }
}

/// <summary>Query strings, and pin options in them.</summary>
public static class PinQueryTarget
{
    /// <summary>The target.</summary>
    public static void Fuzz(ReadOnlySpan<byte> input)
    {
        var query = GoQuery.Parse(Encoding.UTF8.GetString(input));
        if (!PinOptionsQuery.TryParse(query, GoTime.FromUnix(1_700_000_000), out var options, out var error))
        {
            Check.That(error.Length > 0, "a refusal without a reason");
            return;
        }

        var printed = PinOptionsQuery.ToQuery(options);
        Check.That(PinOptionsQuery.TryParse(GoQuery.Parse(printed), GoTime.Zero, out var again, out error), "printed options are refused: " + error);
        Check.That(PinOptionsQuery.ToQuery(again) == printed, "options read back as others");
    }
}

/// <summary>Durations, times, filters, peer ids and addresses.</summary>
public static class ScalarTarget
{
    /// <summary>The target.</summary>
    public static void Fuzz(ReadOnlySpan<byte> input)
    {
        var text = Encoding.UTF8.GetString(input);
        if (GoDuration.TryParse(text, out var duration, out var error))
            Check.That(GoDuration.Parse(duration.ToString()) == duration, "a duration reads back as another");
        else
            Check.That(error.Length > 0, "a refusal without a reason");
        if (GoTime.TryParse(text, out var time, out _))
            Check.That(GoTime.Parse(time.ToString()) == time, "a time reads back as another");
        _ = GoTime.TryParseStrict(text, out _, out _);
        if (TrackerStatuses.TryParseFilter(text, out var filter))
            Check.That(TrackerStatuses.Parse(filter.ToFilterText()) == filter, "a filter reads back as another");
        _ = PinTypes.TryParseFilter(text, out _);
        if (!GoAddresses.TryParseMultiaddr(text, out _, out error))
            Check.That(error.Length > 0, "a refusal without a reason");
        if (!GoAddresses.TryParsePeerId(text, out _, out error))
            Check.That(error.Length > 0, "a refusal without a reason");
        _ = GoBase64.TryDecode(text, out _, out _);
    }
}

/// <summary><c>service.json</c>.</summary>
public static class ConfigurationTarget
{
    /// <summary>The target.</summary>
    public static void Fuzz(ReadOnlySpan<byte> input)
    {
        var surroundings = new ConfigurationSurroundings { Folder = "/nowhere" };
        try
        {
            var loaded = ConfigurationLoader.Load(Encoding.UTF8.GetString(input), surroundings);
            var written = loaded.ToJson();
            Check.That(ConfigurationLoader.Load(written, surroundings).ToJson() == written, "a written configuration loads as another");
            _ = loaded.ToDisplayJson();
        }
        catch (ConfigurationException e)
        {
            Check.That(e.Message.Length > 0, "a refusal without a reason");
        }
    }
}
