namespace Cluster.CommandLine;

/// <summary>Runs a program's command line: finds the command, reads its options, prints help and complaints as the original does.</summary>
public static class CommandLineRunner
{
    /// <summary>Exit code for an unknown command.</summary>
    public const int UnknownCommand = 3;

    private static readonly Command HelpCommand = new("help", "Shows a list of commands or help for one command")
    {
        Aliases = ["h"], Arguments = "[command]",
    };

    /// <summary>Runs it; the result is the exit code. The output is flushed, and what <see cref="Program.Before"/> made is disposed.</summary>
    public static async Task<int> RunAsync(Program program, IReadOnlyList<string> arguments, Channels channels, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentNullException.ThrowIfNull(channels);
        try
        {
            return await RunProgramAsync(program, arguments, channels, cancel);
        }
        finally
        {
            await channels.Output.FlushAsync(CancellationToken.None);
            await channels.Error.FlushAsync(CancellationToken.None);
        }
    }

    /// <summary>One full command per line, depth-first: what scripts list.</summary>
    public static IEnumerable<string> AllCommands(Program program)
    {
        ArgumentNullException.ThrowIfNull(program);
        foreach (var command in program.Commands)
        {
            yield return $"{program.Name} {command.Name}";
            foreach (var sub in command.Subcommands)
                yield return $"{program.Name} {command.Name} {sub.Name}";
        }

        yield return program.Name + " help";
    }

    private static async Task<int> RunProgramAsync(Program program, IReadOnlyList<string> arguments, Channels channels, CancellationToken cancel)
    {
        var output = channels.Output;
        var parsed = ParsedOptions.Parse([.. program.Options, Help.HelpOption, Help.VersionOption], arguments, mixed: false, channels.Environment);
        if (parsed.Complaint is { } wrong)
        {
            await output.WriteAsync($"Incorrect Usage. {wrong}\n\n{Help.OfProgram(program)}");
            return program.IncorrectUsageCode;
        }

        if (IsTrue(parsed, "help"))
        {
            await output.WriteAsync(Help.OfProgram(program));
            return 0;
        }

        if (IsTrue(parsed, "version"))
        {
            await output.WriteAsync($"{program.Name} version {program.Version}\n");
            return 0;
        }

        var root = new Invocation(channels, parsed, parent: null, state: null);
        try
        {
            return await RunInvocationAsync(program, root, cancel);
        }
        finally
        {
            if (root.State is IAsyncDisposable state)
                await state.DisposeAsync();
        }
    }

    private static async Task<int> RunInvocationAsync(Program program, Invocation root, CancellationToken cancel)
    {
        var (channels, output) = (root.Channels, root.Output);
        if (program.Before is not null && await program.Before(root, cancel) is { } code)
            return code;

        if (root.Arguments.Count == 0)
        {
            if (program.Action is not null)
                return await program.Action(root, cancel);
            await output.WriteAsync(Help.OfProgram(program));
            return 0;
        }

        var name = root.Arguments[0];
        if (HelpCommand.Is(name))
            return await HelpAsync(root.Arguments.ElementAtOrDefault(1), program.Commands, program.Name, () => Help.OfProgram(program), channels);
        if (program.Commands.FirstOrDefault(command => command.Is(name)) is { } found)
            return await RunCommandAsync(program, found, program.Name + " " + found.Name, [.. root.Arguments.Skip(1)], root, cancel);
        if (program.HelpForUnknownCommandCode is not { } helped)
            return await NoTopicAsync(name, channels);
        await output.WriteAsync(Help.OfProgram(program));
        return helped;
    }

    private static async Task<int> RunCommandAsync(
        Program program, Command command, string path, List<string> arguments, Invocation parent, CancellationToken cancel)
    {
        var channels = parent.Channels;
        var group = command.Subcommands.Count > 0;
        var parsed = ParsedOptions.Parse([.. command.Options, Help.HelpOption], arguments, mixed: !group, channels.Environment);
        if (parsed.Complaint is { } wrong)
        {
            var help = group ? Help.OfGroup(path, command) : Help.OfCommand(path, command);
            await channels.Output.WriteAsync($"Incorrect Usage{(group ? '.' : ':')} {wrong}\n\n{help}");
            return program.IncorrectUsageCode;
        }

        if (IsTrue(parsed, "help"))
        {
            await channels.Output.WriteAsync(group ? Help.OfGroup(path, command) : Help.OfCommand(path, command));
            return 0;
        }

        var invocation = new Invocation(channels, parsed, parent, parent.State);
        if (!group)
            return await command.Action!(invocation, cancel);
        if (command.Before is not null && await command.Before(invocation, cancel) is { } code)
            return code;
        if (parsed.Arguments.Count == 0)
        {
            if (command.Action is not null)
                return await command.Action(invocation, cancel);
            await channels.Output.WriteAsync(Help.OfGroup(path, command));
            return 0;
        }

        var name = parsed.Arguments[0];
        if (HelpCommand.Is(name))
        {
            var topic = parsed.Arguments.ElementAtOrDefault(1);
            return await HelpAsync(topic, command.Subcommands, path, () => Help.OfGroupAsProgram(path, command, program.Version), channels);
        }

        if (command.Subcommands.FirstOrDefault(sub => sub.Is(name)) is { } found)
            return await RunCommandAsync(program, found, path + " " + found.Name, parsed.Arguments[1..], invocation, cancel);
        return await NoTopicAsync(name, channels);
    }

    private static async Task<int> HelpAsync(
        string? topic, IReadOnlyList<Command> commands, string path, Func<string> overview, Channels channels)
    {
        if (topic is "--help" or "-h")
        {
            await channels.Output.WriteAsync(Help.OfCommand(string.Empty, HelpCommand));
            return 0;
        }

        if (string.IsNullOrEmpty(topic))
        {
            await channels.Output.WriteAsync(overview());
            return 0;
        }

        var found = HelpCommand.Is(topic) ? HelpCommand : commands.FirstOrDefault(command => command.Is(topic));
        if (found is null)
            return await NoTopicAsync(topic, channels);
        await channels.Output.WriteAsync(Help.OfCommand($"{path} {found.Name}", found));
        return 0;
    }

    private static async Task<int> NoTopicAsync(string topic, Channels channels)
    {
        await channels.Error.WriteAsync($"No help topic for '{topic}'\n");
        return UnknownCommand;
    }

    private static bool IsTrue(ParsedOptions parsed, string name) => parsed.Value(name) == "true";
}
