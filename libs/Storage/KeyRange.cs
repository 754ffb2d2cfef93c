namespace Cluster.Storage;

/// <summary>Arithmetic of ordered keys.</summary>
public static class KeyRange
{
    /// <summary>
    /// The first key after all keys that begin with <paramref name="prefix"/>, or null when there is none (the prefix is empty or
    /// all 0xFF): such a scan has no upper bound.
    /// </summary>
    public static byte[]? EndOfPrefix(ReadOnlySpan<byte> prefix)
    {
        var length = prefix.Length;
        while (length > 0 && prefix[length - 1] == 0xFF)
            length--;
        if (length == 0)
            return null;
        var end = prefix[..length].ToArray();
        end[^1]++;
        return end;
    }
}
