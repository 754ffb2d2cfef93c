using System.Globalization;
using System.Text;
using System.Text.Json;

namespace KuboRpc.Json;

/// <summary>
/// Reads fields as daemons' clients do: keys in any letter case, missing and null as zero, numbers also as strings
/// (spec/local-ipfs.md: JS-IPFS sends them so), and anything else as an error.
/// </summary>
internal static class JsonFields
{
    private const int MaxDepth = 128;

    public static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = MaxDepth };

    /// <summary>Parses one document with nothing behind it.</summary>
    public static JsonDocument Parse(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Span.Trim(" \r\n\t"u8).IsEmpty)
            throw new DaemonAnswerException("unexpected end of JSON input");
        try
        {
            return JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = MaxDepth });
        }
        catch (JsonException failure)
        {
            throw new DaemonAnswerException(SyntaxError(bytes.Span, failure), failure);
        }
    }

    /// <summary>Says what is wrong with JSON, naming the character where reading stopped.</summary>
    public static string SyntaxError(ReadOnlySpan<byte> bytes, JsonException failure)
    {
        var line = bytes;
        for (var skip = failure.LineNumber ?? 0; skip > 0 && line.IndexOf((byte)'\n') is >= 0 and var end; skip--)
            line = line[(end + 1)..];
        var at = (int)(failure.BytePositionInLine ?? 0);
        return at < line.Length && line[at] is > 0x20 and < 0x7f
            ? $"invalid character '{(char)line[at]}' in the daemon's JSON"
            : "the daemon's JSON ends too early or is not valid";
    }

    /// <summary>The field of an object, or null when it is missing or null. The last of equal keys counts.</summary>
    public static JsonElement? Find(JsonElement from, string name)
    {
        if (from.ValueKind == JsonValueKind.Null)
            return null;
        if (from.ValueKind != JsonValueKind.Object)
            throw new DaemonAnswerException($"the daemon answered with {Describe(from)} where an object was expected");
        JsonElement? found = null;
        foreach (var field in from.EnumerateObject())
        {
            if (string.Equals(Name(field), name, StringComparison.OrdinalIgnoreCase))
                found = field.Value;
        }
        return found is { ValueKind: JsonValueKind.Null } ? null : found;
    }

    public static string Text(JsonElement from, string name) => Find(from, name) switch
    {
        null => "",
        { ValueKind: JsonValueKind.String } text => Text(text),
        { } other => throw WrongKind(name, other, "a string"),
    };

    /// <summary>A string's value; bytes that are no UTF-8 are an error of the daemon.</summary>
    public static string Text(JsonElement value) => Transcode(() => value.GetString() ?? "");

    /// <summary>A field's name; bytes that are no UTF-8 are an error of the daemon.</summary>
    public static string Name(JsonProperty field) => Transcode(() => field.Name);

    /// <summary>A list of strings; missing and null are empty.</summary>
    public static IEnumerable<JsonElement> List(JsonElement from, string name) => Find(from, name) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } list => list.EnumerateArray(),
        { } other => throw WrongKind(name, other, "a list"),
    };

    /// <summary>A whole number that may be negative; strings are no numbers here.</summary>
    public static long Integer(JsonElement from, string name) => Find(from, name) switch
    {
        null => 0,
        { ValueKind: JsonValueKind.Number } number
            when long.TryParse(number.GetRawText(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) => value,
        { } other => throw WrongKind(name, other, "a whole number"),
    };

    /// <summary>A size: a number, or a string of digits.</summary>
    public static ulong Size(JsonElement from, string name)
    {
        var field = Find(from, name);
        if (field == null)
            return 0;
        var text = field.Value.ValueKind switch
        {
            JsonValueKind.Number => field.Value.GetRawText(),
            JsonValueKind.String => Text(field.Value),
            _ => throw WrongKind(name, field.Value, "a number"),
        };
        return ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw WrongKind(name, field.Value, "a whole number below 2^64");
    }

    /// <summary>
    /// The message of a daemon's error: empty when the JSON object (or null) has none, null when this is no such JSON.
    /// </summary>
    public static string? ErrorMessage(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = MaxDepth });
            return document.RootElement.ValueKind is JsonValueKind.Object or JsonValueKind.Null ? Text(document.RootElement, "Message") : null;
        }
        catch (JsonException)
        {
            return null;
        }
        catch (DaemonAnswerException)
        {
            return null;
        }
    }

    /// <summary>Throws when a streamed value is the daemon's error object: <c>{"Message","Code","Type":"error"}</c>.</summary>
    public static void ThrowOnErrorObject(ReadOnlyMemory<byte> value, string target)
    {
        // Cheap on the many good lines: an error object has this key spelt so on every daemon known.
        if (value.Span.IndexOf("\"Message\""u8) < 0)
            return;
        using var document = JsonDocument.Parse(value, new JsonDocumentOptions { MaxDepth = MaxDepth });
        if (document.RootElement.ValueKind != JsonValueKind.Object)
            return;
        if (Find(document.RootElement, "Message") is { ValueKind: JsonValueKind.String } message
            && Find(document.RootElement, "Type") is { ValueKind: JsonValueKind.String } type && type.ValueEquals("error"u8))
        {
            throw new DaemonAnswerException($"IPFS error ({target}) in the stream. Message: {message.GetString()}");
        }
    }

    public static string Describe(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => "an array",
        JsonValueKind.Object => "an object",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "the number " + value.GetRawText(),
        _ => value.GetRawText(),
    };

    public static DaemonAnswerException WrongKind(string name, JsonElement found, string expected) =>
        new($"the daemon's {name} is {Describe(found)}, not {expected}");

    /// <summary>Form-encodes a query value: unreserved characters stay, a space becomes a plus.</summary>
    public static string Escape(string value)
    {
        var escaped = new StringBuilder(value.Length + 16);
        foreach (var unit in Encoding.UTF8.GetBytes(value))
        {
            if (char.IsAsciiLetterOrDigit((char)unit) || unit is (byte)'-' or (byte)'_' or (byte)'.' or (byte)'~')
                escaped.Append((char)unit);
            else if (unit == (byte)' ')
                escaped.Append('+');
            else
                escaped.Append(CultureInfo.InvariantCulture, $"%{unit:X2}");
        }
        return escaped.ToString();
    }

    private static string Transcode(Func<string> text)
    {
        try
        {
            return text();
        }
        catch (InvalidOperationException failure)
        {
            throw new DaemonAnswerException("the daemon's JSON holds text that is not UTF-8", failure);
        }
    }
}
