using System.Collections;
using System.Text;

namespace Grpc.Core;

/// <summary>Headers or trailers of a call: an ordered multi-map from lower-case keys to ASCII texts, or to bytes where a key ends in <c>-bin</c>.</summary>
public sealed class Metadata : IList<Metadata.Entry>
{
    /// <summary>The end of the key of a binary entry.</summary>
    public const string BinaryHeaderSuffix = "-bin";

    /// <summary>No entries; read-only.</summary>
    public static readonly Metadata Empty = new() { readOnly = true };

    private readonly List<Entry> entries = [];
    private bool readOnly;

    /// <inheritdoc/>
    public int Count => entries.Count;

    /// <inheritdoc/>
    public bool IsReadOnly => readOnly;

    /// <inheritdoc/>
    public Entry this[int index]
    {
        get => entries[index];
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            RequireWritable();
            entries[index] = value;
        }
    }

    /// <summary>The last entry of that key, or null.</summary>
    public Entry? Get(string key)
    {
        for (var i = entries.Count - 1; i >= 0; i--)
        {
            if (string.Equals(entries[i].Key, key, StringComparison.OrdinalIgnoreCase))
                return entries[i];
        }

        return null;
    }

    /// <summary>The text of the last entry of that key, or null.</summary>
    public string? GetValue(string key) => Get(key)?.Value;

    /// <summary>The bytes of the last entry of that key, or null.</summary>
    public byte[]? GetValueBytes(string key) => Get(key)?.ValueBytes;

    /// <summary>All entries of that key, in order.</summary>
    public IEnumerable<Entry> GetAll(string key)
    {
        for (var i = 0; i < entries.Count; i++)
        {
            if (string.Equals(entries[i].Key, key, StringComparison.OrdinalIgnoreCase))
                yield return entries[i];
        }
    }

    /// <inheritdoc/>
    public int IndexOf(Entry item) => entries.IndexOf(item);

    /// <inheritdoc/>
    public void Insert(int index, Entry item)
    {
        ArgumentNullException.ThrowIfNull(item);
        RequireWritable();
        entries.Insert(index, item);
    }

    /// <inheritdoc/>
    public void RemoveAt(int index)
    {
        RequireWritable();
        entries.RemoveAt(index);
    }

    /// <inheritdoc/>
    public void Add(Entry item)
    {
        ArgumentNullException.ThrowIfNull(item);
        RequireWritable();
        entries.Add(item);
    }

    /// <summary>Adds a text.</summary>
    public void Add(string key, string value) => Add(new Entry(key, value));

    /// <summary>Adds bytes; the key must end in <c>-bin</c>.</summary>
    public void Add(string key, byte[] valueBytes) => Add(new Entry(key, valueBytes));

    /// <inheritdoc/>
    public void Clear()
    {
        RequireWritable();
        entries.Clear();
    }

    /// <inheritdoc/>
    public bool Contains(Entry item) => entries.Contains(item);

    /// <inheritdoc/>
    public void CopyTo(Entry[] array, int arrayIndex) => entries.CopyTo(array, arrayIndex);

    /// <inheritdoc/>
    public bool Remove(Entry item)
    {
        RequireWritable();
        return entries.Remove(item);
    }

    /// <inheritdoc/>
    public IEnumerator<Entry> GetEnumerator() => entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => entries.GetEnumerator();

    private void RequireWritable()
    {
        if (readOnly)
            throw new InvalidOperationException("This metadata is read-only.");
    }

    /// <summary>One key with a text or bytes.</summary>
    public class Entry
    {
        private readonly string? text;
        private readonly byte[]? bytes;

        /// <summary>A binary entry; the key must end in <c>-bin</c>.</summary>
        public Entry(string key, byte[] valueBytes)
        {
            Key = NormalKey(key);
            if (!HasBinarySuffix(Key))
                throw new ArgumentException($"The key of a binary entry must end in '{BinaryHeaderSuffix}'.", nameof(key));
            ArgumentNullException.ThrowIfNull(valueBytes);
            bytes = valueBytes.AsSpan().ToArray();
        }

        /// <summary>A text entry; the key must not end in <c>-bin</c>.</summary>
        public Entry(string key, string value)
        {
            Key = NormalKey(key);
            if (HasBinarySuffix(Key))
                throw new ArgumentException($"The key of a text entry must not end in '{BinaryHeaderSuffix}'.", nameof(key));
            ArgumentNullException.ThrowIfNull(value);
            text = value;
        }

        /// <summary>The key, in lower case.</summary>
        public string Key { get; }

        /// <summary>The bytes: of a text, its ASCII form. A new array each time.</summary>
        public byte[] ValueBytes => bytes is not null ? bytes.AsSpan().ToArray() : Encoding.ASCII.GetBytes(text!);

        /// <summary>The text; of a binary entry, its bytes read as ASCII.</summary>
        public string Value => text ?? Encoding.ASCII.GetString(bytes!);

        /// <summary>Whether the entry holds bytes.</summary>
        public bool IsBinary => bytes is not null;

        /// <inheritdoc/>
        public override string ToString() => bytes is not null
            ? $"[Entry: key={Key}, valueBytes={Convert.ToHexString(bytes)}]"
            : $"[Entry: key={Key}, value={text}]";

        private static bool HasBinarySuffix(string key) => key.EndsWith(BinaryHeaderSuffix, StringComparison.Ordinal);

        private static string NormalKey(string key)
        {
            ArgumentNullException.ThrowIfNull(key);
            if (key.Length == 0)
                throw new ArgumentException("A metadata key must not be empty.", nameof(key));
            foreach (var c in key)
            {
                if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-' or '.'))
                    throw new ArgumentException($"The metadata key '{key}' may hold only letters, digits, '_', '-' and '.'.", nameof(key));
            }

            return key.ToLowerInvariant();
        }
    }
}
