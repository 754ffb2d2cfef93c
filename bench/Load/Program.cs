using System.CommandLine;
using Cluster.Load;

var url = new Option<Uri>("--url")
{
    Description = "REST endpoint, http://host:port or unix:///path",
    DefaultValueFactory = _ => new Uri("http://127.0.0.1:9094"),
    CustomParser = parsed => new Uri(parsed.Tokens[^1].Value),
};
var credentials = new Option<string?>("--basic-auth") { Description = "user:password" };
var seed = new Option<ulong>("--seed") { Description = "which family of CIDs; the same seed names the same CIDs", DefaultValueFactory = _ => (ulong)Environment.TickCount64 };
var count = new Option<int>("--count", "-n") { Description = "how many requests", DefaultValueFactory = _ => 20_000 };
var connections = new Option<int>("--connections", "-c") { Description = "keep-alive connections", DefaultValueFactory = _ => 32 };
var pinned = new Option<int>("--pinned") { Description = "how many pins of this seed exist", DefaultValueFactory = _ => 20_000 };
var path = new Option<string>("--path") { Description = "list to read", DefaultValueFactory = _ => "/pins" };

var members = new Option<Uri[]>("--member")
{
    Description = "REST endpoint of another member; may be given several times",
    CustomParser = parsed => [.. parsed.Tokens.Select(token => new Uri(token.Value))],
};

var root = new RootCommand("Puts load on the REST API of an IPFS Cluster peer, ours or another, and prints what it bore.");
root.Options.Add(url);
root.Options.Add(credentials);
url.Recursive = credentials.Recursive = true;

void Add(string name, string description, Option[] options, Func<ParseResult, Target, CancellationToken, Task<bool>> run)
{
    var command = new Command(name, description);
    foreach (var option in options) command.Options.Add(option);
    command.SetAction(async (parsed, cancellation) =>
        await run(parsed, new Target(parsed.GetValue(url)!, parsed.GetValue(credentials)), cancellation) ? 0 : 1);
    root.Subcommands.Add(command);
}

Add("pin", "Post pins.", [seed, count, connections],
    (p, target, cancellation) => Work.PinAsync(target, p.GetValue(seed), p.GetValue(count), p.GetValue(connections), cancellation));
Add("status", "Ask for the status of single pins.", [seed, pinned, count, connections],
    (p, target, cancellation) => Work.StatusAsync(target, p.GetValue(seed), p.GetValue(pinned), p.GetValue(count), p.GetValue(connections), cancellation));
Add("list", "Read a whole list.", [path], (p, target, cancellation) => Work.ListAsync(target, p.GetValue(path)!, cancellation));
Add("spread", "Post pins to one member and wait until the others have applied them.", [members, seed, count, connections],
    (p, target, cancellation) => Arrival.SpreadAsync(
        target, [.. (p.GetValue(members) ?? []).Select(url => new Target(url, p.GetValue(credentials)))],
        p.GetValue(seed), p.GetValue(count), p.GetValue(connections), cancellation));
Add("await", "Wait until a member, perhaps one that starts just now, has all pins of a seed.", [seed, count],
    (p, target, cancellation) => Arrival.AwaitAsync(target, p.GetValue(seed), p.GetValue(count), cancellation));
Add("all", "Post pins, then list them three ways, then ask for single ones.", [seed, count, connections], async (p, target, cancellation) =>
{
    var (s, n, c) = (p.GetValue(seed), p.GetValue(count), p.GetValue(connections));
    return await Work.PinAsync(target, s, n, c, cancellation)
        & await Work.ListAsync(target, "/allocations", cancellation)
        & await Work.ListAsync(target, "/pins", cancellation)
        & await Work.ListAsync(target, "/pins?local=true", cancellation)
        & await Work.StatusAsync(target, s, n, n, 16, cancellation);
});
return await root.Parse(args).InvokeAsync();
