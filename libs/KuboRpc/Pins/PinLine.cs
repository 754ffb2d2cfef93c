using System.Text.Json;
using KuboRpc.Json;

namespace KuboRpc;

/// <summary>Reads the lines of <c>pin/ls</c>: streamed <c>{"Cid","Type"}</c>, or the old form <c>{"Keys":{cid:{"Type"}}}</c>.</summary>
internal static class PinLine
{
    public static IEnumerable<DaemonPin> Read(ReadOnlyMemory<byte> line)
    {
        try
        {
            if (TryReadStreamed(line.Span, out var pin))
                return [pin];
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            // Not what the quick way reads; the slow one says what is wrong.
        }
        return ReadAny(line);
    }

    public static DaemonPinKind Kind(string type) => type switch
    {
        "recursive" => DaemonPinKind.Recursive,
        "direct" => DaemonPinKind.Direct,
        _ when type.StartsWith("indirect", StringComparison.Ordinal) => DaemonPinKind.Indirect,
        _ => DaemonPinKind.Unknown,
    };

    /// <summary>The common form, read without building a document: a listing has a line for each pin of the daemon.</summary>
    private static bool TryReadStreamed(ReadOnlySpan<byte> line, out DaemonPin pin)
    {
        pin = default;
        var reader = new Utf8JsonReader(line, new JsonReaderOptions());
        string? cid = null;
        DaemonPinKind? kind = null;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isCid = reader.ValueTextEquals("Cid"u8);
            var isKind = reader.ValueTextEquals("Type"u8);
            reader.Read();
            if ((isCid || isKind) && (reader.TokenType != JsonTokenType.String || reader.ValueIsEscaped))
                return false;
            if (isCid)
                cid = reader.GetString();
            else if (isKind)
                kind = reader.ValueTextEquals("recursive"u8) ? DaemonPinKind.Recursive : Kind(reader.GetString()!);
            else
                reader.Skip();
        }
        if (cid == null || kind == null)
            return false;
        pin = new DaemonPin(DaemonCid.Parse(cid), kind.Value);
        return true;
    }

    private static List<DaemonPin> ReadAny(ReadOnlyMemory<byte> line)
    {
        using var document = JsonFields.Parse(line);
        var pins = new List<DaemonPin>();
        if (JsonFields.Find(document.RootElement, "Keys") is { ValueKind: JsonValueKind.Object } keys)
        {
            foreach (var key in keys.EnumerateObject())
                pins.Add(new DaemonPin(DaemonCid.Parse(JsonFields.Name(key)), Kind(JsonFields.Text(key.Value, "Type"))));
        }
        else
        {
            pins.Add(new DaemonPin(DaemonCid.Parse(JsonFields.Text(document.RootElement, "Cid")), Kind(JsonFields.Text(document.RootElement, "Type"))));
        }
        return pins;
    }
}
