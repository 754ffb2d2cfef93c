namespace Cluster.CommandLine;

/// <summary>A command, or a group of them when it has subcommands.</summary>
public sealed record Command(string Name, string Usage)
{
    public string[] Aliases { get; init; } = [];

    /// <summary>The long text of the help, printed as it is.</summary>
    public string Description { get; init; } = string.Empty;

    /// <summary>What stands behind the name in the help; <c>[arguments...]</c> when empty.</summary>
    public string Arguments { get; init; } = string.Empty;

    public IReadOnlyList<Option> Options { get; init; } = [];

    public IReadOnlyList<Command> Subcommands { get; init; } = [];

    /// <summary>Left out of the help.</summary>
    public bool Hidden { get; init; }

    /// <summary>Whether the help of a group without a description repeats its usage there.</summary>
    public bool DescribedByUsage { get; init; } = true;

    /// <summary>Runs before a group's subcommand or its overview, but not before its own <c>--help</c>; a result other than null ends the program with that code.</summary>
    public Func<Invocation, CancellationToken, Task<int?>>? Before { get; init; }

    /// <summary>Does the work; the result is the exit code. A group without one prints its help.</summary>
    public Func<Invocation, CancellationToken, Task<int>>? Action { get; init; }

    internal IEnumerable<string> Names => Aliases.Prepend(Name);

    internal bool Is(string name) => Name == name || Aliases.Contains(name);
}

/// <summary>A program: its commands and the options that stand before them.</summary>
public sealed record Program(string Name, string Usage, string Version)
{
    public string Description { get; init; } = string.Empty;

    public IReadOnlyList<Option> Options { get; init; } = [];

    public IReadOnlyList<Command> Commands { get; init; } = [];

    /// <summary>Runs before any command, when the options were read; a result other than null ends the program with that code.</summary>
    public Func<Invocation, CancellationToken, Task<int?>>? Before { get; init; }

    /// <summary>Runs when no command is given; without one the help is printed.</summary>
    public Func<Invocation, CancellationToken, Task<int>>? Action { get; init; }

    /// <summary>Exit code for options that are unknown or have a wrong value.</summary>
    public int IncorrectUsageCode { get; init; } = 1;

    /// <summary>Exit code when the first argument is no command, with the help; null complains about a help topic instead.</summary>
    public int? HelpForUnknownCommandCode { get; init; }
}
