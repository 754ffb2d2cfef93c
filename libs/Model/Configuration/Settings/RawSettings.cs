namespace Cluster.Model.Configuration;

/// <summary>
/// Values of a section as they stand in the file or in the environment, not yet judged. An absent value reads as Go's zero value. Keys of
/// groups are joined by dots: <c>connection_manager.high_water</c>.
/// </summary>
internal sealed class RawSettings
{
    private readonly Dictionary<string, object?> _values = new(StringComparer.Ordinal);

    public object? this[string path]
    {
        get => _values.GetValueOrDefault(path);
        set => _values[path] = value;
    }

    /// <summary>Whether the key, or the group, was given.</summary>
    public bool Has(string path) => _values.ContainsKey(path);

    public string Text(string path) => this[path] as string ?? string.Empty;

    public bool Boolean(string path) => this[path] is true;

    public long Integer(string path) => this[path] is long value ? value : 0;

    public int Int(string path) => (int)Math.Clamp(Integer(path), int.MinValue, int.MaxValue);

    public ulong Unsigned(string path) => this[path] is ulong value ? value : 0;

    public double Float(string path) => this[path] is double value ? value : 0;

    public IReadOnlyList<string>? List(string path) => this[path] as IReadOnlyList<string>;

    public IReadOnlyDictionary<string, string>? Map(string path) => this[path] as IReadOnlyDictionary<string, string>;

    public IReadOnlyDictionary<string, IReadOnlyList<string>>? ListMap(string path) =>
        this[path] as IReadOnlyDictionary<string, IReadOnlyList<string>>;

    /// <summary>The text if it is not empty, else the other one.</summary>
    public string TextOr(string path, string otherwise) => Text(path) is { Length: > 0 } text ? text : otherwise;

    /// <summary>The number if it is not 0, else the other one.</summary>
    public int IntOr(string path, int otherwise) => Int(path) is var value && value != 0 ? value : otherwise;

    /// <summary>The duration if one is given, else the other one.</summary>
    /// <exception cref="ConfigurationException"><c>error parsing component.name: time: invalid duration …</c>.</exception>
    public GoDuration Duration(string path, string component, GoDuration otherwise, string? name = null)
    {
        var text = Text(path);
        if (text.Length == 0)
            return otherwise;
        return GoDuration.TryParse(text, out var duration, out var error)
            ? duration
            : throw new ConfigurationException($"error parsing {component}.{name ?? path}: {error}");
    }

    /// <summary>The duration, 0 where it cannot be read.</summary>
    public GoDuration DurationOrZero(string path) => GoDuration.TryParse(Text(path), out var duration, out _) ? duration : GoDuration.Zero;
}
