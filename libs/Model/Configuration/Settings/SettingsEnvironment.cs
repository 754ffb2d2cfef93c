using System.Globalization;

namespace Cluster.Model.Configuration;

/// <summary>Overwrites settings from environment variables: <c>CLUSTER_&lt;COMPONENT&gt;_&lt;KEY&gt;</c> (spec/config.md 2.5).</summary>
internal static class SettingsEnvironment
{
    /// <summary>True when any variable of the section is set.</summary>
    /// <exception cref="ConfigurationException"><c>envconfig.Process: assigning …</c>.</exception>
    public static bool Overwrite(Schema schema, RawSettings raw, IReadOnlyDictionary<string, string> environment) =>
        Overwrite(schema.Settings, schema.EnvironmentPrefix, string.Empty, raw, environment);

    private static bool Overwrite(
        IReadOnlyList<Setting> settings, string prefix, string path, RawSettings raw, IReadOnlyDictionary<string, string> environment)
    {
        var any = false;
        foreach (var setting in settings)
        {
            var variable = prefix + "_" + setting.EnvironmentName;
            var here = path.Length == 0 ? setting.Key : path + "." + setting.Key;
            if (setting.Kind == SettingKind.Group)
            {
                if (!Overwrite(setting.Members, variable, here, raw, environment))
                    continue;
                raw[here] = true;
                any = true;
            }
            else if (setting.Kind != SettingKind.Json && environment.TryGetValue(variable, out var text))
            {
                raw[here] = Convert(setting, variable, text);
                any = true;
            }
        }

        return any;
    }

    private static object? Convert(Setting setting, string variable, string text)
    {
        switch (setting.Kind)
        {
            case SettingKind.Text:
                return text;
            case SettingKind.Boolean:
                return GoParse.TryBoolean(text, out var boolean) ? boolean : throw Bad("bool", Strconv("ParseBool", "invalid syntax"));
            case SettingKind.Integer:
                return GoParse.TryInteger(text, out var integer, out var reason) ? integer : throw Bad("int", Strconv("ParseInt", reason));
            case SettingKind.Unsigned:
                return GoParse.TryUnsigned(text, out var unsigned, out reason) ? unsigned : throw Bad("uint64", Strconv("ParseUint", reason));
            case SettingKind.Float:
                return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                    ? number
                    : throw Bad("float64", Strconv("ParseFloat", "invalid syntax"));
            case SettingKind.List or SettingKind.TextOrList:
                return Split(text);
            case SettingKind.Floats:
                return Split(text).Select(item => double.TryParse(item, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
                    ? value
                    : throw Bad("[]float64", $"strconv.ParseFloat: parsing {GoText.Quote(item)}: invalid syntax")).ToArray();
            case SettingKind.Map:
                var map = new Dictionary<string, string>(StringComparer.Ordinal);
                foreach (var (key, value) in Pairs("map[string]string"))
                    map[key] = value;
                return map;
            case SettingKind.ListMap:
                var lists = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
                foreach (var (key, value) in Pairs("map[string][]string"))
                    lists[key] = [value];
                return lists;
            default:
                return null;
        }

        string Strconv(string function, string reason) => $"strconv.{function}: parsing {GoText.Quote(text)}: {reason}";

        ConfigurationException Bad(string type, string details) => new(
            $"envconfig.Process: assigning {variable} to {setting.GoField}: converting '{text}' to type {type}. details: {details}");

        IEnumerable<(string Key, string Value)> Pairs(string type)
        {
            foreach (var pair in Split(text))
            {
                var parts = pair.Split(':');
                if (parts.Length != 2)
                    throw Bad(type, "invalid map item: " + GoText.Quote(pair));
                yield return (parts[0], parts[1]);
            }
        }
    }

    private static string[] Split(string text) => string.IsNullOrWhiteSpace(text) ? [] : text.Split(',');
}
