using System.Text;
using System.Text.Json.Nodes;

namespace Ipld.Tests.Import;

/// <summary>The imports behind <c>ipfs-cluster-ctl add</c>; its command line is tested with the command.</summary>
[Trait("Category", "Golden")]
public sealed class CtlAddGoldenTests
{
    [Fact]
    public async Task Every_recorded_add_of_the_command_gives_the_recorded_cids()
    {
        var failures = new List<string>();
        if (!Golden.Has("kubo/unixfs-ctl.json"))
        {
            return;
        }

        var files = Golden.Read("kubo/unixfs-ctl.json")["files"]!.AsObject();
        foreach (var c in Golden.Cases("kubo/unixfs-ctl.json", "cases"))
        {
            // Exit 1 is the command's own refusal: nothing was sent.
            if ((int)c["exit"]! == 1 || Command.Parse(c["argv"]!.AsArray().Skip(2).Select(a => (string)a!).ToList()) is not { } command)
            {
                continue;
            }

            var collector = new Collector();
            string actual;
            try
            {
                await new Importer(command.Options, collector, collector).RunAsync(Parts(files, command), CancellationToken.None);
                actual = command.Print(collector.Outputs);
            }
            catch (Exception e) when (e is ImportException or CarException or CidFormatException)
            {
                actual = $"An error occurred:\n  Code: 500\n  Message: {e.Message}\n";
            }

            if ((string)c["stdout"]! != actual)
            {
                failures.Add($"{c["seq"]} {c["name"]}: expected\n{c["stdout"]}was\n{actual}");
            }
        }

        Assert.True(failures.Count == 0, string.Join("\n", failures));
    }

    private static async IAsyncEnumerable<ImportPart> Parts(JsonObject files, Command command)
    {
        foreach (var path in command.Paths)
        {
            if (files[path] is { } file)
            {
                yield return Part("/" + path, file);
                await Task.CompletedTask;
                continue;
            }

            yield return new ImportPart("/" + path, ImportPartKind.Directory, Stream.Null);
            foreach (var (name, content) in files.Where(f => f.Key.StartsWith(path + "/", StringComparison.Ordinal)).OrderBy(f => f.Key, StringComparer.Ordinal))
            {
                if (command.Hidden || !name.Contains("/.", StringComparison.Ordinal))
                {
                    yield return Part("/" + name, content!);
                }
            }
        }
    }

    private static ImportPart Part(string path, JsonNode content) => content switch
    {
        JsonObject generated => new ImportPart(path, ImportPartKind.File, GeneratedContent.Of(generated)),
        _ when ((string)content!).StartsWith("symlink to ", StringComparison.Ordinal) => new ImportPart(path, ImportPartKind.Symlink, Bytes(((string)content!)["symlink to ".Length..])),
        _ => new ImportPart(path, ImportPartKind.File, Bytes((string)content!)),
    };

    private static MemoryStream Bytes(string text) => new(Encoding.UTF8.GetBytes(text));

    private sealed record Command(ImportOptions Options, List<string> Paths, bool Hidden, string Form)
    {
        // Null for options that change the request in ways that are not the importer's.
        public static Command? Parse(List<string> arguments)
        {
            var options = new ImportOptions();
            var paths = new List<string>();
            var hidden = false;
            var form = "";
            for (var i = 0; i < arguments.Count; i++)
            {
                switch (arguments[i])
                {
                    case "-r" or "--recursive" or "--local" or "--no-stream" or "--wait" or "--raw-leaves=false":
                        break;
                    case "-H" or "--hidden":
                        hidden = true;
                        break;
                    case "-q" or "--quiet":
                        form = "q";
                        break;
                    case "-Q" or "--quieter":
                        form = "Q";
                        break;
                    case "-w" or "--wrap-with-directory":
                        options = options with { WrapWithDirectory = true };
                        break;
                    case "--raw-leaves":
                        options = options with { RawLeaves = true };
                        break;
                    case "--cid-version":
                        // The command turns raw leaves on with version 1, and cannot turn them off.
                        var version = int.Parse(arguments[++i]);
                        options = options with { CidVersion = version, RawLeaves = options.RawLeaves || version > 0 };
                        break;
                    case "-s" or "--chunker":
                        options = options with { Chunker = arguments[++i] };
                        break;
                    case "--layout":
                        options = options with { Trickle = arguments[++i] == "trickle" };
                        break;
                    case "--hash":
                        var hash = arguments[++i];
                        options = options with { HashFunction = hash, CidVersion = hash == "sha2-256" ? options.CidVersion : 1, RawLeaves = options.RawLeaves || hash != "sha2-256" };
                        break;
                    case "-f" or "--format":
                        options = options with { Car = arguments[++i] == "car" };
                        break;
                    case var option when option.StartsWith('-'):
                        return null;
                    default:
                        paths.Add(arguments[i]);
                        break;
                }
            }

            // Several paths are always wrapped.
            return new Command(options with { WrapWithDirectory = options.WrapWithDirectory || paths.Count > 1 }, paths, hidden, form);
        }

        public string Print(List<ImportOutput> outputs) => Form switch
        {
            "q" => string.Concat(outputs.Select(o => o.Cid + "\n")),
            "Q" => outputs[^1].Cid + "\n",
            _ => string.Concat(outputs.Select(o => $"added {o.Cid} {o.Name}\n")),
        };
    }
}
