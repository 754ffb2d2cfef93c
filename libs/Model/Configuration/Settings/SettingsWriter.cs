using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Cluster.Model.Configuration;

/// <summary>Writes sections as the original does: two spaces of indentation, hidden keys left out.</summary>
internal sealed class SettingsWriter(bool showHidden = false)
{
    private const string HiddenText = "XXX_hidden_XXX";

    private readonly StringBuilder _text = new();
    private int _depth;
    private bool _first = true;

    public override string ToString() => _text.ToString();

    public void Open(char bracket)
    {
        _text.Append(bracket);
        _depth++;
        _first = true;
    }

    public void Close(char bracket)
    {
        _depth--;
        if (!_first)
            NewLine();
        _text.Append(bracket);
        _first = false;
    }

    public void Name(string name)
    {
        Item();
        Text(name);
        _text.Append(": ");
    }

    /// <summary>The section's object.</summary>
    public void Section(Schema schema, RawSettings raw, RawSettings defaults)
    {
        Open('{');
        Members(schema.Settings, string.Empty, raw, defaults);
        Close('}');
    }

    /// <summary>JSON of unknown components, kept in its order.</summary>
    public void Json(JsonElement json)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Object:
                Open('{');
                foreach (var member in json.EnumerateObject())
                {
                    Name(GoJsonText.NameOf(member));
                    Json(member.Value);
                }

                Close('}');
                break;
            case JsonValueKind.Array:
                Open('[');
                foreach (var item in json.EnumerateArray())
                {
                    Item();
                    Json(item);
                }

                Close(']');
                break;
            case JsonValueKind.String:
                Text(GoJsonText.Of(json));
                break;
            default:
                _text.Append(json.GetRawText());
                break;
        }
    }

    public void Text(string text) => _text.Append(ModelJson.ToText(text, static (output, value) =>
    {
        var json = new GoJsonWriter(output);
        json.String(value);
        json.Flush();
    }));

    private void Members(IReadOnlyList<Setting> settings, string path, RawSettings raw, RawSettings defaults)
    {
        foreach (var setting in settings)
        {
            var here = path.Length == 0 ? setting.Key : path + "." + setting.Key;
            var value = raw[here];
            if (setting.Kind == SettingKind.Group)
            {
                Name(setting.Key);
                Open('{');
                Members(setting.Members, here, raw, defaults);
                Close('}');
                continue;
            }

            if (!showHidden && IsHidden(setting, value, defaults[here]))
                continue;
            Name(setting.Key);
            if (showHidden && setting.Secret)
                Text(HiddenText);
            else
                Value(setting.Kind, showHidden && IsHidden(setting, value, defaults[here]) ? null : value);
        }
    }

    private static bool IsHidden(Setting setting, object? value, object? byDefault) => setting.Hidden switch
    {
        Hidden.Always => true,
        Hidden.WhenEmpty => IsEmpty(value),
        Hidden.WhenDefault => IsEmpty(value) || Equals(value, byDefault),
        _ => false,
    };

    private static bool IsEmpty(object? value) =>
        value is null or "" or false or 0L or 0UL or 0d or IReadOnlyCollection<string> { Count: 0 };

    private void Value(SettingKind kind, object? value)
    {
        switch (value)
        {
            case null when kind is SettingKind.Text: _text.Append("\"\""); break;
            case null when kind is SettingKind.Boolean: _text.Append("false"); break;
            case null when kind is SettingKind.Integer or SettingKind.Unsigned or SettingKind.Float: _text.Append('0'); break;
            case null: _text.Append("null"); break;
            case string text: Text(text); break;
            case bool boolean: _text.Append(boolean ? "true" : "false"); break;
            case long integer: _text.Append(integer); break;
            case ulong unsigned: _text.Append(unsigned); break;
            case double number: _text.Append(GoFloat.ToText(number)); break;
            case IReadOnlyList<string> { Count: 1 } list when kind == SettingKind.TextOrList: Text(list[0]); break;
            case IReadOnlyList<string> list: Array(list, Text); break;
            case double[] numbers: Array(numbers, number => _text.Append(GoFloat.ToText(number))); break;
            case IReadOnlyDictionary<string, string> map: Map(map, Text); break;
            case IReadOnlyDictionary<string, IReadOnlyList<string>> map: Map(map, list => Array(list, Text)); break;
            case JsonElement json: Json(json); break;
            default: _text.Append(System.Convert.ToString(value, CultureInfo.InvariantCulture)); break;
        }
    }

    private void Array<T>(IReadOnlyList<T> items, Action<T> write)
    {
        Open('[');
        foreach (var item in items)
        {
            Item();
            write(item);
        }

        Close(']');
    }

    private void Map<T>(IReadOnlyDictionary<string, T> map, Action<T> write)
    {
        Open('{');
        foreach (var (key, value) in map.OrderBy(entry => entry.Key, Comparer<string>.Create(Utf8Order.Compare)))
        {
            Name(key);
            write(value);
        }

        Close('}');
    }

    private void Item()
    {
        if (!_first)
            _text.Append(',');
        _first = false;
        NewLine();
    }

    private void NewLine() => _text.Append('\n').Append(' ', 2 * _depth);
}
