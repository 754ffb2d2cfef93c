using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Cluster.Model;

/// <summary>
/// Reads values of JSON into fields with Go's rules: <c>null</c> leaves a field as it is, a value of the wrong kind is remembered (the
/// first one counts) while reading goes on, an undecodable text stops at once. The texts of the errors are Go's.
/// </summary>
internal sealed class GoJsonFields(string goType)
{
    private readonly string _goType = goType;

    /// <summary>The first value of the wrong kind.</summary>
    public string? Complaint { get; private set; }

    public void ThrowIfWrong()
    {
        if (Complaint is not null)
            throw new FormatException(Complaint);
    }

    /// <summary>Go's name of a value's kind.</summary>
    public static string KindOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.Number => "number",
        JsonValueKind.True or JsonValueKind.False => "bool",
        _ => "null",
    };

    public void Wrong(string kind, string field, string goFieldType) =>
        Complaint ??= $"json: cannot unmarshal {kind} into Go struct field {_goType}.{field} of type {goFieldType}";

    public string Text(JsonElement value, string field, string current = "")
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Null:
                return current;
            case JsonValueKind.String:
                return GoJsonText.Of(value);
            default:
                Wrong(KindOf(value), field, "string");
                return current;
        }
    }

    public bool Boolean(JsonElement value, string field, bool current = false)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Null: return current;
            case JsonValueKind.True: return true;
            case JsonValueKind.False: return false;
            default:
                Wrong(KindOf(value), field, "bool");
                return current;
        }
    }

    public long Integer(JsonElement value, string field, string goFieldType = "int", long current = 0)
    {
        if (value.ValueKind == JsonValueKind.Null)
            return current;
        if (value.ValueKind != JsonValueKind.Number)
        {
            Wrong(KindOf(value), field, goFieldType);
            return current;
        }

        if (value.TryGetInt64(out var number) && !NotInteger(value))
            return number;
        Wrong("number " + value.GetRawText(), field, goFieldType);
        return current;
    }

    public ulong Unsigned(JsonElement value, string field, ulong current = 0)
    {
        if (value.ValueKind == JsonValueKind.Null)
            return current;
        if (value.ValueKind != JsonValueKind.Number)
        {
            Wrong(KindOf(value), field, "uint64");
            return current;
        }

        if (ulong.TryParse(value.GetRawText(), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return number;
        Wrong("number " + value.GetRawText(), field, "uint64");
        return current;
    }

    public double Float(JsonElement value, string field)
    {
        if (value.ValueKind == JsonValueKind.Number)
            return value.GetDouble();
        if (value.ValueKind != JsonValueKind.Null)
            Wrong(KindOf(value), field, "float64");
        return 0;
    }

    public static GoTime Time(JsonElement value, GoTime current = default)
    {
        if (value.ValueKind == JsonValueKind.Null)
            return current;
        if (value.ValueKind != JsonValueKind.String)
            throw new FormatException("Time.UnmarshalJSON: input is not a JSON string");
        return GoTime.TryParseStrict(GoJsonText.Of(value), out var time, out var error) ? time : throw new FormatException(error);
    }

    /// <summary>The elements of an array; null for JSON's <c>null</c> and for other kinds, which are complained about.</summary>
    public List<T>? List<T>(JsonElement value, string field, string goFieldType, Func<JsonElement, T> read)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Null:
                return null;
            case JsonValueKind.Array:
                var list = new List<T>(value.GetArrayLength());
                foreach (var item in value.EnumerateArray())
                    list.Add(read(item));
                return list;
            default:
                Wrong(KindOf(value), field, goFieldType);
                return null;
        }
    }

    /// <summary>The members of an object; null for JSON's <c>null</c> and for other kinds, which are complained about.</summary>
    public List<KeyValuePair<string, T>>? Map<T>(JsonElement value, string field, string goFieldType, Func<JsonElement, T> read)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Null:
                return null;
            case JsonValueKind.Object:
                var entries = new List<KeyValuePair<string, T>>();
                foreach (var member in value.EnumerateObject())
                    entries.Add(new(GoJsonText.NameOf(member), read(member.Value)));
                return entries;
            default:
                Wrong(KindOf(value), field, goFieldType);
                return null;
        }
    }

    private static bool NotInteger(JsonElement value) => value.GetRawText().AsSpan().IndexOfAny('.', 'e', 'E') >= 0;
}

/// <summary>Texts of JSON strings; what is no Unicode becomes U+FFFD, as in Go.</summary>
internal static class GoJsonText
{
    public static string Of(JsonElement value)
    {
        try
        {
            return value.GetString() ?? string.Empty;
        }
        catch (InvalidOperationException)
        {
            return Lenient(value.GetRawText());
        }
    }

    public static string NameOf(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException)
        {
            return "\ufffd";
        }
    }

    // Only for texts that .NET refuses: lone surrogates in escapes, bytes that are no UTF-8.
    private static string Lenient(string raw)
    {
        var text = new StringBuilder(raw.Length);
        for (var i = 1; i < raw.Length - 1; i++)
        {
            if (raw[i] != '\\')
            {
                text.Append(raw[i]);
                continue;
            }

            i++;
            switch (raw[i])
            {
                case 'b': text.Append('\b'); break;
                case 'f': text.Append('\f'); break;
                case 'n': text.Append('\n'); break;
                case 'r': text.Append('\r'); break;
                case 't': text.Append('\t'); break;
                case 'u':
                    text.Append((char)ushort.Parse(raw.AsSpan(i + 1, 4), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
                    i += 4;
                    break;
                default: text.Append(raw[i]); break;
            }
        }

        var runes = new StringBuilder(text.Length);
        foreach (var rune in text.ToString().EnumerateRunes())
            runes.Append(rune.ToString());
        return runes.ToString();
    }
}
