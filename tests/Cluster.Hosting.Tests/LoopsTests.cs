using Cluster.Hosting.Lifetime;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Cluster.Hosting.Tests;

public sealed class LoopsTests
{
    private static readonly TimeSpan patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task The_first_that_fails_stops_the_others_and_is_told()
    {
        var stopped = new TaskCompletionSource();
        async Task ForeverAsync(CancellationToken cancellation)
        {
            try
            {
                await Task.Delay(Timeout.Infinite, cancellation);
            }
            finally
            {
                stopped.SetResult();
            }
        }

        var failure = await Assert.ThrowsAsync<InvalidDataException>(() => Loops.RunAsync(
            [ForeverAsync, _ => Task.CompletedTask, _ => throw new InvalidDataException("broken")], CancellationToken.None).WaitAsync(patience));
        Assert.Equal("broken", failure.Message);
        Assert.True(stopped.Task.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task When_all_have_done_their_work_it_is_done() =>
        await Loops.RunAsync([_ => Task.CompletedTask, async _ => await Task.Yield()], CancellationToken.None).WaitAsync(patience);

    [Fact]
    public async Task Cancelled_it_ends_all()
    {
        using var cancel = new CancellationTokenSource();
        var running = Loops.RunAsync([c => Task.Delay(Timeout.Infinite, c), c => Task.Delay(Timeout.Infinite, c)], cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(patience));
    }

    [Fact]
    public async Task A_service_one_of_whose_parts_fails_ends_with_an_exit_code_that_says_so()
    {
        await using var peer = new TestPeer();
        var code = await ServiceHost.RunAsync(ServiceName.Monitor, ["--config", peer.Folder], service => service.Services.AddHostedService<Failing>()).WaitAsync(patience);
        Assert.Equal(1, code);
    }

    private sealed class Failing : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await Task.Yield();
            throw new InvalidDataException("broken");
        }
    }
}
