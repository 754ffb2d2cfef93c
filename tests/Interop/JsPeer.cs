using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Libp2p;

namespace Interop;

/// <summary>A js-libp2p peer in a process of its own, driven by lines of JSON (<c>js/peer.mjs</c>).</summary>
internal sealed class JsPeer : IAsyncDisposable
{
    private static readonly TimeSpan CommandTimeout = TimeSpan.FromMinutes(4);

    private readonly Process process;
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonElement>> pending = new();
    private readonly ConcurrentQueue<string> errors = new();
    private readonly TaskCompletionSource<JsonElement> ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim writing = new(1, 1);
    private readonly Task reading;
    private int nextId;

    private JsPeer(Process process)
    {
        this.process = process;
        reading = Task.WhenAll(ReadAsync(), ReadErrorsAsync());
    }

    /// <summary>Its peer id.</summary>
    public PeerId Id { get; private set; }

    /// <summary>Where it listens, with its peer id at the end.</summary>
    public Multiaddr Address { get; private set; } = Multiaddr.Empty;

    /// <summary>Starts a peer.</summary>
    /// <param name="secret">Secret of the private network, or null.</param>
    /// <param name="script">Script in <c>tests/Interop/js</c>.</param>
    /// <param name="arguments">Arguments of the script after the secret.</param>
    public static Task<JsPeer> StartAsync(NetworkSecret? secret, string script = "peer.mjs", params string[] arguments) =>
        StartAsync(NodePackages.Libp2p, secret, script, arguments);

    /// <summary>Starts a peer of other packages.</summary>
    public static async Task<JsPeer> StartAsync(NodePackages packages, NetworkSecret? secret, string script, params string[] arguments)
    {
        await packages.EnsureAsync();
        var start = new ProcessStartInfo("node", ["--import", "./node20.mjs", script, secret?.ToHex() ?? "", .. arguments])
        {
            WorkingDirectory = packages.Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (Environment.GetEnvironmentVariable("JS_DEBUG") is { Length: > 0 } debug) start.Environment["DEBUG"] = debug;
        var peer = new JsPeer(Process.Start(start) ?? throw new InvalidOperationException("node did not start"));
        try
        {
            var hello = await peer.ready.Task.WaitAsync(TimeSpan.FromMinutes(2));
            peer.Id = PeerId.Parse(hello.GetProperty("peer").GetString()!);
            peer.Address = Multiaddr.Parse(hello.GetProperty("addresses")[0].GetString()!);
            return peer;
        }
        catch
        {
            await peer.DisposeAsync();
            throw;
        }
    }

    /// <summary>Sends a command and waits for its answer.</summary>
    public async Task<JsonElement> AskAsync(string command, object? arguments = null)
    {
        int id = Interlocked.Increment(ref nextId);
        var answer = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
        pending[id] = answer;
        var message = arguments is null ? new JsonObject() : JsonSerializer.SerializeToNode(arguments)!.AsObject();
        message["id"] = id;
        message["cmd"] = command;
        await writing.WaitAsync();
        try
        {
            await process.StandardInput.WriteLineAsync(message.ToJsonString());
            await process.StandardInput.FlushAsync();
        }
        finally
        {
            writing.Release();
        }
        return await answer.Task.WaitAsync(CommandTimeout);
    }

    private async Task ReadAsync()
    {
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (!line.StartsWith('{')) continue;
            var message = JsonDocument.Parse(line).RootElement;
            if (!message.TryGetProperty("id", out var id))
            {
                ready.TrySetResult(message);
                continue;
            }
            if (!pending.TryRemove(id.GetInt32(), out var answer)) continue;
            if (message.TryGetProperty("error", out var error)) answer.SetException(new JsPeerException(error.GetString()!));
            else answer.SetResult(message.TryGetProperty("ok", out var ok) ? ok : default);
        }
        var end = new JsPeerException("The js peer ended: " + string.Join("\n", errors));
        ready.TrySetException(end);
        foreach (var answer in pending.Values) answer.TrySetException(end);
    }

    private async Task ReadErrorsAsync()
    {
        while (await process.StandardError.ReadLineAsync() is { } line)
        {
            if (errors.Count < 200) errors.Enqueue(line);
            if (Environment.GetEnvironmentVariable("JS_DEBUG") is { Length: > 0 }) await Console.Error.WriteLineAsync(line);
        }
    }

    /// <summary>Ends the process at once, without a word to anybody.</summary>
    public void Kill() => process.Kill(entireProcessTree: true);

    public async ValueTask DisposeAsync()
    {
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
        }
        await reading;
        process.Dispose();
        writing.Dispose();
    }
}

/// <summary>A js peer failed at a command, or altogether.</summary>
public sealed class JsPeerException(string message) : Exception(message);
