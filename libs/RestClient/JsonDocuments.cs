using System.Runtime.CompilerServices;

namespace Cluster.RestClient;

/// <summary>Splits a body into the JSON documents that follow one another in it.</summary>
internal static class JsonDocuments
{
    private const int LongestDocument = 64 * 1024 * 1024;

    /// <summary>The documents in order. The memory is valid until the next one is asked for.</summary>
    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(ResponseBody body, [EnumeratorCancellation] CancellationToken cancel)
    {
        var buffer = new byte[64 * 1024];
        int start = 0, end = 0, at = 0, depth = 0;
        bool text = false, escaped = false;
        while (true)
        {
            while (at < end)
            {
                var octet = buffer[at++];
                if (text)
                {
                    (text, escaped) = escaped ? (true, false) : octet == '\\' ? (true, true) : (octet != '"', false);
                    continue;
                }

                switch (octet)
                {
                    case (byte)'"': text = true; break;
                    case (byte)'{' or (byte)'[': depth++; break;
                    case (byte)'}' or (byte)']':
                        if (--depth > 0)
                            break;
                        yield return buffer.AsMemory(start, at - start);
                        start = at;
                        depth = 0;
                        break;
                    default:
                        if (depth == 0 && octet is ((byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t'))
                        {
                            // A document that is neither an object nor an array ends with the line.
                            if (at - 1 > start)
                                yield return buffer.AsMemory(start, at - 1 - start);
                            start = at;
                        }

                        break;
                }
            }

            if (start > 0)
            {
                buffer.AsSpan(start, end - start).CopyTo(buffer);
                (at, end, start) = (at - start, end - start, 0);
            }

            if (end == buffer.Length)
            {
                if (buffer.Length >= LongestDocument)
                    throw new IOException("a JSON document of the answer is longer than 64 MiB");
                Array.Resize(ref buffer, buffer.Length * 2);
            }

            var read = await body.ReadAsync(buffer.AsMemory(end), cancel);
            if (read == 0)
                break;
            end += read;
        }

        if (end > start)
            yield return buffer.AsMemory(start, end - start);
    }
}
