using Cluster.CommandLine;
using Cluster.Ctl.Output;
using Cluster.Model;
using Cluster.RestClient;

namespace Cluster.Ctl;

/// <summary>What a command works with: the client of the API and the form of the output.</summary>
internal sealed class Session(ClusterClient client, bool json, EndpointOptions endpoints, IAsyncDisposable? transport, TimeProvider clock)
    : IAsyncDisposable
{
    public ClusterClient Client => client;

    /// <summary><c>--enc=json</c>.</summary>
    public bool Json => json;

    /// <summary>For downloads of URLs.</summary>
    public EndpointOptions Endpoints => endpoints;

    public TimeProvider Clock => clock;

    public ValueTask DisposeAsync() => transport?.DisposeAsync() ?? ValueTask.CompletedTask;

    public static Session Of(Invocation invocation) => (Session)invocation.State!;

    /// <summary>Runs a command, and prints errors where the original does: the peer's on the output, local ones on the error channel.</summary>
    public static Func<Invocation, CancellationToken, Task<int>> Command(Func<Invocation, Session, CancellationToken, Task> work) =>
        async (invocation, cancel) =>
        {
            var session = Of(invocation);
            try
            {
                await work(invocation, session, cancel);
                return ExitCodes.Success;
            }
            catch (RestException e)
            {
                await session.PrintErrorAsync(invocation.Output, e.Error);
                return e.Error.Code == 0 ? ExitCodes.Failure : ExitCodes.PeerError;
            }
            catch (RequestException e)
            {
                await Logs.ErrorAsync(invocation.Error, "could not cast error into api.Error");
                return await FailAsync(invocation, string.Empty, e.Message, ExitCodes.Failure);
            }
            catch (CommandException e)
            {
                return await FailAsync(invocation, e.Doing, e.Message, e.ExitCode);
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return ExitCodes.Cancelled;
            }
        };

    /// <summary>Prints <c>error doing: text</c>.</summary>
    public static async Task<int> FailAsync(Invocation invocation, string doing, string text, int exitCode)
    {
        await invocation.Output.FlushAsync(CancellationToken.None);
        await invocation.Error.WriteAsync($"error {doing}: {text}\n");
        return exitCode;
    }

    private async Task PrintErrorAsync(TextWriter output, ApiError error)
    {
        if (json)
            await JsonOutput.WriteAsync(output, error, ModelJson.Write);
        else
            await output.WriteAsync($"An error occurred:\n  Code: {error.Code}\n  Message: {error.Message}\n");
    }
}

/// <summary>A command that cannot go on for a local reason: <c>error &lt;doing&gt;: &lt;text&gt;</c>.</summary>
internal sealed class CommandException(string doing, string message, int exitCode = ExitCodes.Failure) : Exception(message)
{
    public string Doing { get; } = doing;

    public int ExitCode { get; } = exitCode;
}
