using Cluster.Model;

namespace Cluster.CommandLine;

/// <summary>What an option's value is.</summary>
public enum OptionKind
{
    /// <summary>No value: given or not; <c>--name=false</c> is possible.</summary>
    Boolean,
    Text,
    Integer,
    Unsigned,
    Float,

    /// <summary>Go's form: <c>1h30m</c>.</summary>
    Duration,

    /// <summary>May be given several times.</summary>
    Texts,
}

/// <summary>An option of a program or a command. Defined by its names, the long one first.</summary>
public sealed record Option(OptionKind Kind, string[] Names, string Usage)
{
    /// <summary>The value when it is not given, in its text form.</summary>
    public string Default { get; init; } = string.Empty;

    /// <summary>An environment variable that gives the value when the command line does not; empty for none.</summary>
    public string Environment { get; init; } = string.Empty;

    public bool Hidden { get; init; }

    public static Option Boolean(string usage, params string[] names) => new(OptionKind.Boolean, names, usage);

    public static Option Text(string usage, params string[] names) => new(OptionKind.Text, names, usage);

    public static Option Texts(string usage, params string[] names) => new(OptionKind.Texts, names, usage);

    public static Option Integer(string usage, params string[] names) => new(OptionKind.Integer, names, usage) { Default = "0" };

    public static Option Duration(string usage, params string[] names) => new(OptionKind.Duration, names, usage) { Default = "0s" };

    /// <summary>A line of the help: names, a tab, the usage with default and environment variable.</summary>
    internal string ToHelpLine()
    {
        var placeholder = Kind == OptionKind.Boolean ? string.Empty : " value";
        var usage = Usage;
        var open = usage.IndexOf('`', StringComparison.Ordinal);
        var close = open < 0 ? -1 : usage.IndexOf('`', open + 1);
        if (close > open && open >= 0)
        {
            var word = usage[(open + 1)..close];
            usage = usage[..open] + word + usage[(close + 1)..];
            if (Kind != OptionKind.Boolean)
                placeholder = " " + word;
        }

        var names = string.Join(", ", Names.Select(name => (name.Length == 1 ? "-" : "--") + name + placeholder));
        var byDefault = Kind switch
        {
            OptionKind.Text when Default.Length > 0 => $" (default: {GoText.Quote(Default)})",
            OptionKind.Integer or OptionKind.Unsigned or OptionKind.Float or OptionKind.Duration => $" (default: {Default})",
            _ => string.Empty,
        };
        var environment = Environment.Length == 0 ? string.Empty : $" [${Environment}]";
        return $"{names}\t{(usage + byDefault).Trim()}{environment}";
    }

    /// <summary>What is wrong with a value, in the words of Go's package <c>flag</c>; null when nothing is.</summary>
    internal string? Complaint(string value)
    {
        switch (Kind)
        {
            case OptionKind.Boolean:
                return GoParse.TryBoolean(value, out _) ? null : "parse error";
            case OptionKind.Integer:
                return GoParse.TryInteger(value, out _, out var reason) ? null : Words(reason);
            case OptionKind.Unsigned:
                return GoParse.TryUnsigned(value, out _, out reason) ? null : Words(reason);
            case OptionKind.Float:
                return double.TryParse(value, System.Globalization.CultureInfo.InvariantCulture, out _) ? null : "parse error";
            case OptionKind.Duration:
                return GoDuration.TryParse(value, out _, out _) ? null : "parse error";
            default:
                return null;
        }

        static string Words(string reason) => reason == "invalid syntax" ? "parse error" : reason;
    }
}
