using System.Globalization;
using Cluster.Model;

namespace Cluster.CommandLine;

/// <summary>Where a program reads and writes.</summary>
public sealed record Channels(TextWriter Output, TextWriter Error, TextReader Input, IReadOnlyDictionary<string, string> Environment)
{
    /// <summary>The input as bytes: what <see cref="Input"/> has not read yet.</summary>
    public Stream InputBytes { get; init; } = Stream.Null;

    /// <summary>The output as bytes; flush <see cref="Output"/> before.</summary>
    public Stream OutputBytes { get; init; } = Stream.Null;

    /// <summary>The process's own.</summary>
    public static Channels OfProcess()
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (System.Collections.DictionaryEntry variable in System.Environment.GetEnvironmentVariables())
            environment[(string)variable.Key] = (string?)variable.Value ?? string.Empty;
        var utf8 = new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        var (input, output) = (Console.OpenStandardInput(), Console.OpenStandardOutput());
        return new(
            new StreamWriter(output, utf8, 16 * 1024),
            new StreamWriter(Console.OpenStandardError(), utf8, 4096) { AutoFlush = true },
            new AnswerReader(input),
            environment)
        {
            InputBytes = input,
            OutputBytes = output,
        };
    }
}

/// <summary>A command with the options and arguments of this run.</summary>
public sealed class Invocation
{
    private readonly ParsedOptions _own;

    internal Invocation(Channels channels, ParsedOptions own, Invocation? parent, object? state)
    {
        Channels = channels;
        _own = own;
        Parent = parent;
        State = state ?? parent?.State;
    }

    public Channels Channels { get; }

    /// <summary>The invocation of the group or program around this command.</summary>
    public Invocation? Parent { get; }

    public TextWriter Output => Channels.Output;

    public TextWriter Error => Channels.Error;

    /// <summary>What <see cref="Program.Before"/> made for its commands.</summary>
    public object? State { get; set; }

    public IReadOnlyList<string> Arguments => _own.Arguments;

    /// <summary>The argument at an index; empty when there is none.</summary>
    public string Argument(int index) => index < Arguments.Count ? Arguments[index] : string.Empty;

    /// <summary>Whether the option was given, on the command line or by its variable.</summary>
    public bool IsGiven(string name) => Find(name).IsGiven(name);

    public string Text(string name) => Find(name).Value(name);

    public IReadOnlyList<string> Texts(string name) => Find(name).Values(name);

    public bool Boolean(string name) => GoParse.TryBoolean(Text(name), out var value) && value;

    public int Integer(string name) =>
        GoParse.TryInteger(Text(name), out var value, out _) ? (int)Math.Clamp(value, int.MinValue, int.MaxValue) : 0;

    public ulong Unsigned(string name) => GoParse.TryUnsigned(Text(name), out var value, out _) ? value : 0;

    public double Float(string name) => double.TryParse(Text(name), CultureInfo.InvariantCulture, out var value) ? value : 0;

    public GoDuration Duration(string name) => GoDuration.TryParse(Text(name), out var value, out _) ? value : GoDuration.Zero;

    private ParsedOptions Find(string name)
    {
        for (var here = this; here is not null; here = here.Parent)
        {
            if (here._own.Knows(name))
                return here._own;
        }

        throw new ArgumentException("no such option: " + name, nameof(name));
    }
}
