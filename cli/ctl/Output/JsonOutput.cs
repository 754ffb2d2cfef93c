using System.Buffers;
using System.Text;

namespace Cluster.Ctl.Output;

/// <summary>Documents indented by four spaces, as Go's <c>json.MarshalIndent</c> does.</summary>
internal static class JsonOutput
{
    /// <summary>Prints one document and a line end.</summary>
    public static async Task WriteAsync<T>(TextWriter output, T value, Action<IBufferWriter<byte>, T> write)
    {
        var compact = new ArrayBufferWriter<byte>();
        write(compact, value);
        await output.WriteAsync(Indented(compact.WrittenSpan));
        await output.FlushAsync();
    }

    /// <summary>The same document with line ends and indentation; texts stay byte for byte.</summary>
    public static string Indented(ReadOnlySpan<byte> compact)
    {
        var indented = new StringBuilder(compact.Length * 2);
        var depth = 0;
        var start = 0;
        var text = false;
        for (var i = 0; i < compact.Length; i++)
        {
            var octet = compact[i];
            if (text)
            {
                if (octet == '\\')
                    i++;
                else if (octet == '"')
                    text = false;
                continue;
            }

            switch (octet)
            {
                case (byte)'"':
                    text = true;
                    break;
                case (byte)'{' or (byte)'[':
                    Take(compact, i + 1);
                    if (i + 1 < compact.Length && compact[i + 1] is (byte)'}' or (byte)']')
                    {
                        Take(compact, i + 2);
                        i++;
                        break;
                    }

                    depth++;
                    NewLine();
                    break;
                case (byte)'}' or (byte)']':
                    Take(compact, i);
                    depth--;
                    NewLine();
                    break;
                case (byte)',':
                    Take(compact, i + 1);
                    NewLine();
                    break;
                case (byte)':':
                    Take(compact, i + 1);
                    indented.Append(' ');
                    break;
            }
        }

        Take(compact, compact.Length);
        return indented.Append('\n').ToString();

        void Take(ReadOnlySpan<byte> source, int end)
        {
            indented.Append(Encoding.UTF8.GetString(source[start..end]));
            start = end;
        }

        void NewLine() => indented.Append('\n').Append(' ', 4 * depth);
    }
}
