using System.Globalization;
using System.Text.Json;

namespace Cluster.Model.Configuration;

/// <summary>Reads a section's JSON with Go's rules: keys match without case, the last of equal ones wins, <c>null</c> is Go's zero value.</summary>
internal static class SettingsReader
{
    /// <exception cref="ConfigurationException">A value is of the wrong kind; the text names the key as Go does.</exception>
    public static RawSettings Read(Schema schema, JsonElement json)
    {
        var raw = new RawSettings();
        string? complaint = null;
        if (json.ValueKind != JsonValueKind.Object)
            throw new ConfigurationException($"json: cannot unmarshal {GoJsonFields.KindOf(json)} into Go value of type {schema.GoType}");
        ReadMembers(raw, schema.Settings, schema.GoType.Split('.')[^1], string.Empty, json, ref complaint);
        return complaint is null ? raw : throw new ConfigurationException(complaint);
    }

    private static void ReadMembers(
        RawSettings raw, IReadOnlyList<Setting> settings, string goType, string path, JsonElement json, ref string? complaint)
    {
        foreach (var member in json.EnumerateObject())
        {
            var name = GoJsonText.NameOf(member);
            foreach (var setting in settings)
            {
                if (!setting.Key.Equals(name, StringComparison.OrdinalIgnoreCase))
                    continue;
                var here = path.Length == 0 ? setting.Key : path + "." + setting.Key;
                if (member.Value.ValueKind == JsonValueKind.Null)
                    break;
                if (setting.Kind == SettingKind.Group)
                {
                    if (member.Value.ValueKind != JsonValueKind.Object)
                    {
                        Complain(ref complaint, goType, here, GoJsonFields.KindOf(member.Value), setting.GoType);
                        break;
                    }

                    raw[here] = true;
                    ReadMembers(raw, setting.Members, setting.GoType.Split('.')[^1], here, member.Value, ref complaint);
                    break;
                }

                ReadValue(raw, setting, goType, here, member.Value, ref complaint);
                break;
            }
        }
    }

    private static void ReadValue(RawSettings raw, Setting setting, string goType, string path, JsonElement value, ref string? complaint)
    {
        var text = value.ValueKind == JsonValueKind.String;
        var number = value.ValueKind == JsonValueKind.Number;
        switch (setting.Kind)
        {
            case SettingKind.Text when text:
                raw[path] = GoJsonText.Of(value);
                break;
            case SettingKind.Boolean when value.ValueKind is JsonValueKind.True or JsonValueKind.False:
                raw[path] = value.GetBoolean();
                break;
            case SettingKind.Integer when number:
                if (long.TryParse(value.GetRawText(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer))
                    raw[path] = integer;
                else
                    Complain(ref complaint, goType, path, "number " + value.GetRawText(), "int");
                break;
            case SettingKind.Unsigned when number:
                if (ulong.TryParse(value.GetRawText(), NumberStyles.None, CultureInfo.InvariantCulture, out var unsigned))
                    raw[path] = unsigned;
                else
                    Complain(ref complaint, goType, path, "number " + value.GetRawText(), "uint64");
                break;
            case SettingKind.Float when number:
                raw[path] = value.GetDouble();
                break;
            case SettingKind.TextOrList when text:
                raw[path] = GoJsonText.Of(value) is { Length: > 0 } one ? new[] { one } : Array.Empty<string>();
                break;
            case SettingKind.List or SettingKind.TextOrList when value.ValueKind == JsonValueKind.Array:
                raw[path] = Texts(goType, path, value, ref complaint);
                break;
            case SettingKind.Map when value.ValueKind == JsonValueKind.Object:
                var map = new Dictionary<string, string>(StringComparer.Ordinal);
                foreach (var entry in value.EnumerateObject())
                    map[GoJsonText.NameOf(entry)] = OneText(goType, path, entry.Value, ref complaint);
                raw[path] = map;
                break;
            case SettingKind.ListMap when value.ValueKind == JsonValueKind.Object:
                var lists = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
                foreach (var entry in value.EnumerateObject())
                {
                    if (entry.Value.ValueKind is JsonValueKind.Array)
                        lists[GoJsonText.NameOf(entry)] = Texts(goType, path, entry.Value, ref complaint);
                    else if (entry.Value.ValueKind != JsonValueKind.Null)
                        Complain(ref complaint, goType, path, GoJsonFields.KindOf(entry.Value), "[]string");
                }

                raw[path] = lists;
                break;
            case SettingKind.Floats when value.ValueKind == JsonValueKind.Array:
                raw[path] = value.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Number ? item.GetDouble() : 0).ToArray();
                break;
            case SettingKind.Json:
                raw[path] = value.Clone();
                break;
            default:
                Complain(ref complaint, goType, path, GoJsonFields.KindOf(value), GoTypeOf(setting.Kind));
                break;
        }
    }

    private static string[] Texts(string goType, string path, JsonElement array, ref string? complaint)
    {
        var texts = new string[array.GetArrayLength()];
        var i = 0;
        foreach (var item in array.EnumerateArray())
            texts[i++] = OneText(goType, path, item, ref complaint);
        return texts;
    }

    private static string OneText(string goType, string path, JsonElement value, ref string? complaint)
    {
        if (value.ValueKind == JsonValueKind.String)
            return GoJsonText.Of(value);
        if (value.ValueKind != JsonValueKind.Null)
            Complain(ref complaint, goType, path, GoJsonFields.KindOf(value), "string");
        return string.Empty;
    }

    private static string GoTypeOf(SettingKind kind) => kind switch
    {
        SettingKind.Boolean => "bool",
        SettingKind.Integer => "int",
        SettingKind.Unsigned => "uint64",
        SettingKind.Float => "float64",
        SettingKind.List => "[]string",
        SettingKind.Map => "map[string]string",
        SettingKind.ListMap => "map[string][]string",
        SettingKind.Floats => "[]float64",
        _ => "string",
    };

    private static void Complain(ref string? complaint, string goType, string path, string kind, string wanted) =>
        complaint ??= $"json: cannot unmarshal {kind} into Go struct field {goType}.{path} of type {wanted}";
}
