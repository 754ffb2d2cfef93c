using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Cluster.Model;

/// <summary>An immutable map of texts, kept in the byte order of its UTF-8 keys: the order in which it is printed and stored.</summary>
[SuppressMessage("Naming", "CA1710", Justification = "the field's own name")]
public sealed class Metadata : IReadOnlyDictionary<string, string>, IEquatable<Metadata>
{
    private readonly KeyValuePair<string, string>[] _entries;

    private Metadata(KeyValuePair<string, string>[] sorted) => _entries = sorted;

    public static Metadata Empty { get; } = new([]);

    public int Count => _entries.Length;

    public IEnumerable<string> Keys => _entries.Select(entry => entry.Key);

    public IEnumerable<string> Values => _entries.Select(entry => entry.Value);

    public string this[string key] => TryGetValue(key, out var value) ? value : throw new KeyNotFoundException(key);

    /// <summary>The entries in order; for writers that must not allocate.</summary>
    public ReadOnlySpan<KeyValuePair<string, string>> Entries => _entries;

    /// <summary>Of equal keys the last one stays.</summary>
    public static Metadata From(IEnumerable<KeyValuePair<string, string>> entries)
    {
        ArgumentNullException.ThrowIfNull(entries);
        if (entries is Metadata metadata)
            return metadata;
        var list = entries.ToArray();
        switch (list.Length)
        {
            case 0: return Empty;
            case 1: return new(list);
        }

        var byKey = new Dictionary<string, string>(list.Length, StringComparer.Ordinal);
        foreach (var (key, value) in list)
            byKey[key] = value;
        var sorted = byKey.ToArray();
        Array.Sort(sorted, static (a, b) => Utf8Order.Compare(a.Key, b.Key));
        return new(sorted);
    }

    public bool ContainsKey(string key) => TryGetValue(key, out _);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out string value)
    {
        int low = 0, high = _entries.Length - 1;
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            switch (Utf8Order.Compare(_entries[middle].Key, key))
            {
                case 0:
                    value = _entries[middle].Value;
                    return true;
                case < 0: low = middle + 1; break;
                default: high = middle - 1; break;
            }
        }

        value = null;
        return false;
    }

    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => ((IEnumerable<KeyValuePair<string, string>>)_entries).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public bool Equals(Metadata? other) => other is not null && _entries.AsSpan().SequenceEqual(other._entries);

    public override bool Equals(object? obj) => Equals(obj as Metadata);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var (key, value) in _entries)
        {
            hash.Add(key, StringComparer.Ordinal);
            hash.Add(value, StringComparer.Ordinal);
        }

        return hash.ToHashCode();
    }
}

/// <summary>Order of texts by their UTF-8 bytes, which is Go's; UTF-16 order differs from it beyond the basic plane.</summary>
internal static class Utf8Order
{
    public static int Compare(string left, string right)
    {
        var common = left.AsSpan().CommonPrefixLength(right);
        if (common == left.Length || common == right.Length)
            return left.Length.CompareTo(right.Length);
        var (a, b) = (left[common], right[common]);
        return char.IsSurrogate(a) == char.IsSurrogate(b) ? a.CompareTo(b) : char.IsSurrogate(a) ? 1 : -1;
    }
}
