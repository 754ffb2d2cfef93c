using System.Globalization;
using System.Text;

namespace Cluster.Hosting.Telemetry;

/// <summary>Writes the text exposition format of Prometheus, version 0.0.4.</summary>
public static class PrometheusText
{
    /// <summary>The content type of a page, in the original's wording.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";

    /// <summary>Writes the two comment lines of a family.</summary>
    public static void WriteHeader(StringBuilder output, string name, string type, string help)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(help);
        output.Append("# HELP ").Append(name).Append(' ')
            .Append(help.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)).Append('\n');
        output.Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n');
    }

    /// <summary>Writes one sample.</summary>
    public static void WriteSample(StringBuilder output, string name, string labels, double value)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(labels);
        output.Append(name);
        if (labels.Length > 0)
            output.Append('{').Append(labels).Append('}');
        output.Append(' ').Append(Number(value)).Append('\n');
    }

    /// <summary>Labels between braces, sorted by name: <c>a="1",b="2"</c>.</summary>
    public static string Labels(IEnumerable<KeyValuePair<string, string>> labels) => string.Join(
        ',',
        labels.OrderBy(static label => label.Key, StringComparer.Ordinal).Select(static label => $"{Name(label.Key)}=\"{Escape(label.Value)}\""));

    /// <summary>A name with everything replaced by an underscore that a name may not have.</summary>
    public static string Name(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return string.Create(name.Length, name, static (target, source) =>
        {
            for (var i = 0; i < source.Length; i++)
                target[i] = char.IsAsciiLetter(source[i]) || source[i] is '_' or ':' || (i > 0 && char.IsAsciiDigit(source[i])) ? source[i] : '_';
        });
    }

    /// <summary>A value as Go prints it: shortest form, exponents from 1e+21 on.</summary>
    public static string Number(double value)
    {
        if (double.IsNaN(value))
            return "NaN";
        if (double.IsInfinity(value))
            return value > 0 ? "+Inf" : "-Inf";
        if (value == Math.Floor(value) && Math.Abs(value) < 1e15)
            return ((long)value).ToString(CultureInfo.InvariantCulture);
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        return text.Replace("E+", "e+", StringComparison.Ordinal).Replace("E-", "e-", StringComparison.Ordinal);
    }

    /// <summary>
    /// Joins the pages of several processes: each family once, its samples together, families sorted by name. A sample that two
    /// pages both have stands twice, so processes label what all of them have.
    /// </summary>
    public static string Merge(IEnumerable<string> pages)
    {
        ArgumentNullException.ThrowIfNull(pages);
        var families = new SortedDictionary<string, (string Header, StringBuilder Samples)>(StringComparer.Ordinal);
        foreach (var page in pages)
        {
            StringBuilder? current = null;
            var header = new StringBuilder();
            foreach (var line in page.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                if (line.StartsWith("# HELP ", StringComparison.Ordinal))
                {
                    header.Clear().Append(line).Append('\n');
                    current = null;
                }
                else if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
                {
                    header.Append(line).Append('\n');
                    var name = line.Split(' ')[2];
                    if (!families.TryGetValue(name, out var family))
                        families[name] = family = (header.ToString(), new StringBuilder());
                    current = family.Samples;
                    header.Clear();
                }
                else if (line[0] != '#')
                {
                    current?.Append(line).Append('\n');
                }
            }
        }

        var merged = new StringBuilder();
        foreach (var (header, samples) in families.Values)
            merged.Append(header).Append(samples);
        return merged.ToString();
    }

    private static string Escape(string value) => value
        .Replace("\\", "\\\\", StringComparison.Ordinal)
        .Replace("\"", "\\\"", StringComparison.Ordinal)
        .Replace("\n", "\\n", StringComparison.Ordinal);
}
