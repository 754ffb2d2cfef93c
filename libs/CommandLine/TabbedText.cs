using System.Text;

namespace Cluster.CommandLine;

/// <summary>
/// Lines up what stands behind tabs, as Go's <c>text/tabwriter</c> does with a padding of two spaces: a column is as wide as its widest
/// cell in consecutive lines.
/// </summary>
internal static class TabbedText
{
    private const int Padding = 2;

    public static string Align(string text)
    {
        var lines = text.Split('\n');
        var aligned = new StringBuilder(text.Length + 256);
        for (var i = 0; i < lines.Length;)
        {
            if (!lines[i].Contains('\t', StringComparison.Ordinal))
            {
                Append(lines[i], i++);
                continue;
            }

            var end = i;
            var width = 0;
            for (; end < lines.Length && lines[end].IndexOf('\t', StringComparison.Ordinal) is var tab and >= 0; end++)
                width = Math.Max(width, tab);
            for (; i < end; i++)
            {
                var tab = lines[i].IndexOf('\t', StringComparison.Ordinal);
                Append(lines[i][..tab].PadRight(width + Padding) + lines[i][(tab + 1)..], i);
            }
        }

        return aligned.ToString();

        void Append(string line, int index)
        {
            aligned.Append(line);
            if (index < lines.Length - 1)
                aligned.Append('\n');
        }
    }
}
