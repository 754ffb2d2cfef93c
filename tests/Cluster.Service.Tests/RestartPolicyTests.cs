using Cluster.Service.Supervision;

namespace Cluster.Service.Tests;

public sealed class RestartPolicyTests
{
    [Fact]
    public void Pauses_double_up_to_a_limit_and_start_over_after_a_healthy_run()
    {
        var policy = new RestartPolicy();
        Assert.Equal(
            [0, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000],
            Enumerable.Range(0, 10).Select(_ => policy.NextPause(TimeSpan.FromSeconds(1)).TotalMilliseconds));
        Assert.Equal(TimeSpan.Zero, policy.NextPause(RestartPolicy.Healthy));
        Assert.Equal(RestartPolicy.ShortestPause, policy.NextPause(TimeSpan.Zero));
    }

    [Fact]
    public void A_thousand_ends_in_a_row_overflow_nothing()
    {
        var policy = new RestartPolicy();
        for (var i = 0; i < 1000; i++)
            Assert.InRange(policy.NextPause(TimeSpan.Zero), TimeSpan.Zero, RestartPolicy.LongestPause);
    }
}
