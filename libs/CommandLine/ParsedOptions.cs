using Cluster.Model;

namespace Cluster.CommandLine;

/// <summary>Options and arguments taken apart with the rules and complaints of Go's package <c>flag</c>.</summary>
internal sealed class ParsedOptions
{
    private readonly Dictionary<Option, List<string>> _given = [];
    private readonly IReadOnlyList<Option> _options;

    private ParsedOptions(IReadOnlyList<Option> options) => _options = options;

    public List<string> Arguments { get; } = [];

    /// <summary>What is wrong with the command line; null when nothing is.</summary>
    public string? Complaint { get; private set; }

    public static ParsedOptions Empty(IReadOnlyList<string> arguments)
    {
        var parsed = new ParsedOptions([]);
        parsed.Arguments.AddRange(arguments);
        return parsed;
    }

    /// <param name="options">The known options.</param>
    /// <param name="arguments">The command line, without the command's name.</param>
    /// <param name="mixed">Whether known options may follow arguments. An unknown one there counts as an argument.</param>
    /// <param name="environment">For options with a variable.</param>
    public static ParsedOptions Parse(
        IReadOnlyList<Option> options, IReadOnlyList<string> arguments, bool mixed, IReadOnlyDictionary<string, string> environment)
    {
        var parsed = new ParsedOptions(options);
        foreach (var option in options)
        {
            if (option.Environment.Length > 0 && environment.TryGetValue(option.Environment, out var value) && value.Length > 0)
                parsed._given[option] = [value];
        }

        parsed.Read(arguments, mixed);
        return parsed;
    }

    public bool Knows(string name) => Find(name) is not null;

    public bool IsGiven(string name) => Find(name) is { } option && _given.ContainsKey(option);

    public string Value(string name) => Find(name) is not { } option ? string.Empty
        : _given.TryGetValue(option, out var values) ? values[^1]
        : option.Default;

    public IReadOnlyList<string> Values(string name) => Find(name) is { } option && _given.TryGetValue(option, out var values) ? values : [];

    private Option? Find(string name) => _options.FirstOrDefault(option => option.Names.Contains(name));

    private void Read(IReadOnlyList<string> arguments, bool mixed)
    {
        // A value from the environment gives way to the command line.
        var fromCommandLine = new HashSet<Option>();
        for (var i = 0; i < arguments.Count; i++)
        {
            var argument = arguments[i];
            if (argument == "--")
            {
                Arguments.AddRange(arguments.Skip(Arguments.Count == 0 ? i + 1 : i));
                return;
            }

            if (argument.Length < 2 || argument[0] != '-')
            {
                Arguments.Add(argument);
                if (mixed)
                    continue;
                Arguments.AddRange(arguments.Skip(i + 1));
                return;
            }

            var name = argument[(argument[1] == '-' ? 2 : 1)..];
            var equals = name.IndexOf('=', StringComparison.Ordinal);
            var value = equals < 0 ? null : name[(equals + 1)..];
            name = equals < 0 ? name : name[..equals];
            var option = Find(name);
            if (option is null && Arguments.Count > 0)
            {
                Arguments.Add(argument);
                continue;
            }

            if (name.Length == 0 || name[0] is '-' or '=')
            {
                Complaint = "bad flag syntax: " + argument;
                return;
            }

            if (option is null)
            {
                Complaint = "flag provided but not defined: -" + name;
                return;
            }

            if (option.Kind == OptionKind.Boolean)
            {
                value ??= "true";
                if (option.Complaint(value) is { } wrong)
                {
                    Complaint = $"invalid boolean value {GoText.Quote(value)} for -{name}: {wrong}";
                    return;
                }
            }
            else
            {
                if (value is null)
                {
                    if (++i >= arguments.Count)
                    {
                        Complaint = "flag needs an argument: -" + name;
                        return;
                    }

                    value = arguments[i];
                }

                if (option.Complaint(value) is { } wrong)
                {
                    Complaint = $"invalid value {GoText.Quote(value)} for flag -{name}: {wrong}";
                    return;
                }
            }

            if (fromCommandLine.Add(option))
                _given[option] = [];
            _given[option].Add(value);
        }
    }
}
