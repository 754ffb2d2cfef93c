using System.Text;

namespace Cluster.CommandLine;

/// <summary>The help texts, laid out as the original's (spec/ctl.md 4.7).</summary>
internal static class Help
{
    public static readonly Option HelpOption = Option.Boolean("show help", "help", "h");

    public static readonly Option VersionOption = Option.Boolean("print the version", "version", "v");

    private const string HelpCommandLine = "help, h\tShows a list of commands or help for one command";

    public static string OfProgram(Program program) => AppLike(
        program.Name,
        program.Usage,
        program.Version,
        program.Description,
        program.Commands.Where(command => !command.Hidden).Select(Line).Append(HelpCommandLine),
        [.. program.Options, HelpOption, VersionOption]);

    /// <summary>What <c>group help</c> prints, unlike <c>group --help</c>.</summary>
    public static string OfGroupAsProgram(string path, Command group, string version) => AppLike(
        path, group.Usage, version, Description(group), Visible(group), [.. group.Options, HelpOption]);

    /// <summary>What a group prints without a subcommand.</summary>
    public static string OfGroup(string path, Command group)
    {
        var text = new StringBuilder();
        text.Append("NAME:\n   ").Append(path).Append(" - ").Append(group.Description.Length > 0 ? group.Description : group.Usage);
        text.Append("\n\nUSAGE:\n   ").Append(path).Append(" command [command options] ").Append(ArgumentsOf(group));
        text.Append("\n\nCOMMANDS:\n");
        foreach (var line in Visible(group))
            text.Append("   ").Append(line).Append('\n');
        AppendOptions(text.Append('\n'), [.. group.Options, HelpOption]);
        return TabbedText.Align(text.Append('\n').ToString());
    }

    public static string OfCommand(string path, Command command)
    {
        var text = new StringBuilder();
        var options = command.Options.Where(option => !option.Hidden).ToArray();
        var description = Description(command);
        text.Append("NAME:\n   ").Append(path).Append(" - ").Append(command.Usage);
        text.Append("\n\nUSAGE:\n   ").Append(path).Append(options.Length > 0 ? " [command options]" : string.Empty);
        text.Append(' ').Append(ArgumentsOf(command));
        if (description.Length > 0)
            text.Append("\n\nDESCRIPTION:\n   ").Append(description);
        if (options.Length > 0)
            AppendOptions(text.Append("\n\n"), options);
        return TabbedText.Align(text.Append('\n').ToString());
    }

    private static string AppLike(
        string name, string usage, string version, string description, IEnumerable<string> commands, IReadOnlyList<Option> options)
    {
        var text = new StringBuilder();
        text.Append("NAME:\n   ").Append(name).Append(" - ").Append(usage);
        text.Append("\n\nUSAGE:\n   ").Append(name).Append(" [global options] command [command options] [arguments...]");
        text.Append("\n\nVERSION:\n   ").Append(version);
        if (description.Length > 0)
            text.Append("\n\nDESCRIPTION:\n   ").Append(description);
        text.Append("\n\nCOMMANDS:\n");
        foreach (var line in commands)
            text.Append("   ").Append(line).Append('\n');
        text.Append("\nGLOBAL OPTIONS:\n");
        foreach (var option in options)
        {
            if (!option.Hidden)
                text.Append("   ").Append(option.ToHelpLine()).Append('\n');
        }

        return TabbedText.Align(text.ToString());
    }

    private static string Description(Command command) =>
        command.Description.Length == 0 && command.Subcommands.Count > 0 && command.DescribedByUsage ? command.Usage : command.Description;

    private static IEnumerable<string> Visible(Command group) => group.Subcommands.Where(command => !command.Hidden).Select(Line);

    private static string Line(Command command) => string.Join(", ", command.Names) + "\t" + command.Usage;

    private static string ArgumentsOf(Command command) => command.Arguments.Length > 0 ? command.Arguments : "[arguments...]";

    private static void AppendOptions(StringBuilder text, IReadOnlyList<Option> options)
    {
        text.Append("OPTIONS:\n   ");
        foreach (var option in options)
        {
            if (!option.Hidden)
                text.Append(option.ToHelpLine()).Append("\n   ");
        }
    }
}
