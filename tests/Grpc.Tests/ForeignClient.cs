using System.Diagnostics;

namespace Grpc.Tests;

/// <summary>The gRPC library of Node against the real server over the API projects.</summary>
public sealed class ForeignClient(ForeignClientRun run) : IClassFixture<ForeignClientRun>
{
    [Theory]
    [InlineData("unary")]
    [InlineData("client streaming")]
    [InlineData("server streaming")]
    [InlineData("duplex streaming")]
    [InlineData("deadline")]
    [InlineData("cancellation")]
    [InlineData("status details")]
    [InlineData("metadata and trailers")]
    [InlineData("gzip")]
    [InlineData("interceptors")]
    [InlineData("large message")]
    [InlineData("too large message")]
    public void Of_another_language_succeeds_with(string check) => Assert.Contains("ok " + check, run.Lines);
}

/// <summary>Installs the client's packages and runs all its checks once.</summary>
public sealed class ForeignClientRun : IAsyncLifetime
{
    private readonly EchoServer server = new();

    public IReadOnlyList<string> Lines { get; private set; } = [];

    public async Task InitializeAsync()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "foreign");
        await server.InitializeAsync();
        if (!File.Exists(Path.Combine(folder, "node_modules", ".package-lock.json")))
            await RunAsync("npm", folder, "ci", "--ignore-scripts", "--no-audit", "--no-fund");
        var output = await RunAsync("node", folder, "client.mjs", server.Address.Authority, Path.Combine(AppContext.BaseDirectory, "protos", "echo.proto"));
        Lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    public Task DisposeAsync() => server.DisposeAsync();

    private static async Task<string> RunAsync(string program, string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(10));
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }

        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {await errors}");
        return await output;
    }
}
