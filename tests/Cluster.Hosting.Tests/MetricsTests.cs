using System.Diagnostics.Metrics;
using System.Net;
using Cluster.Contracts.V1;
using Cluster.Hosting.Telemetry;

namespace Cluster.Hosting.Tests;

public sealed class MetricsTests
{
    [Fact]
    public void Instruments_print_as_families_with_help_type_and_labels()
    {
        using var collector = new MetricsCollector(ServiceName.Tracker);
        using var meter = new Meter("MetricsTests.print");
        var counter = meter.CreateCounter<long>("ipfscluster_test_adds", description: "Total \\ of\nadds");
        var gauge = meter.CreateGauge<double>("ipfscluster_test_gauge", description: "A gauge");
        meter.CreateObservableGauge("ipfscluster_test_observed", () => 1e20, description: "Observed");
        var histogram = meter.CreateHistogram<double>("ipfscluster_test_latency", description: "L", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [1, 10] });
        meter.CreateCounter<long>("other_counter").Add(1);
        Assert.Contains("ipfscluster_test_adds 0\n", collector.Print(), StringComparison.Ordinal);
        counter.Add(2);
        counter.Add(3);
        counter.Add(1, new KeyValuePair<string, object?>("method.x", "a\"b\\"), new KeyValuePair<string, object?>("a", 1));
        gauge.Record(-0.5);
        histogram.Record(1);
        histogram.Record(5);
        histogram.Record(100);
        var page = collector.Print();
        Assert.Contains("# HELP ipfscluster_test_adds Total \\\\ of\\nadds\n# TYPE ipfscluster_test_adds counter\nipfscluster_test_adds 5\n", page, StringComparison.Ordinal);
        Assert.Contains("ipfscluster_test_adds{a=\"1\",method_x=\"a\\\"b\\\\\"} 1\n", page, StringComparison.Ordinal);
        Assert.Contains("# TYPE ipfscluster_test_gauge gauge\nipfscluster_test_gauge -0.5\n", page, StringComparison.Ordinal);
        Assert.Contains("ipfscluster_test_observed 1e+20\n", page, StringComparison.Ordinal);
        Assert.Contains(
            "ipfscluster_test_latency_bucket{le=\"1\"} 1\nipfscluster_test_latency_bucket{le=\"10\"} 2\nipfscluster_test_latency_bucket{le=\"+Inf\"} 3\n"
            + "ipfscluster_test_latency_sum 106\nipfscluster_test_latency_count 3\n",
            page,
            StringComparison.Ordinal);
        Assert.DoesNotContain("other_counter", page, StringComparison.Ordinal);
        Assert.Contains("process_resident_memory_bytes{service=\"tracker\"} ", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Pages_of_several_processes_merge_by_family()
    {
        var merged = PrometheusText.Merge(
        [
            "# HELP b B\n# TYPE b gauge\nb{service=\"x\"} 1\n# HELP c C\n# TYPE c counter\nc 3\n",
            "# HELP a A\n# TYPE a gauge\na 0\n# HELP b B\n# TYPE b gauge\nb{service=\"y\"} 2\n",
            "",
        ]);
        Assert.Equal(
            "# HELP a A\n# TYPE a gauge\na 0\n# HELP b B\n# TYPE b gauge\nb{service=\"x\"} 1\nb{service=\"y\"} 2\n# HELP c C\n# TYPE c counter\nc 3\n",
            merged);
    }

    [Fact]
    public async Task The_gateway_serves_one_page_for_all_services_when_stats_are_on()
    {
        var free = TestPeer.FreeEndPoint();
        await using var peer = new TestPeer(new()
        {
            ["CLUSTER_METRICS_ENABLESTATS"] = "true",
            ["CLUSTER_METRICS_PROMETHEUSENDPOINT"] = $"/ip4/{free.Address}/tcp/{free.Port}",
        });
        foreach (var service in ServiceName.All)
            await peer.StartAsync(service);
        using var http = new HttpClient { BaseAddress = new Uri($"http://{free}") };
        var response = await http.PostAsync(new Uri("/metrics", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8; escaping=underscores", response.Content.Headers.GetValues("Content-Type").Single());
        var page = await response.Content.ReadAsStringAsync();
        foreach (var service in ServiceName.All)
            Assert.Contains($"process_open_fds{{service=\"{service}\"}} ", page, StringComparison.Ordinal);
        Assert.Single(page.Split('\n'), line => line == "# TYPE process_open_fds gauge");
        foreach (var path in new[] { "/", "/health", "/debug/nothing" })
            Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync(new Uri(path, UriKind.Relative))).StatusCode);
    }

    [Fact]
    public async Task A_metrics_port_in_use_stops_the_start()
    {
        using var taken = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        await using var peer = new TestPeer(new()
        {
            ["CLUSTER_METRICS_ENABLESTATS"] = "true",
            ["CLUSTER_METRICS_PROMETHEUSENDPOINT"] = $"/ip4/127.0.0.1/tcp/{((IPEndPoint)taken.LocalEndpoint).Port}",
        });
        var error = await Assert.ThrowsAsync<ServiceStartException>(() => peer.StartAsync(ServiceName.Gateway));
        Assert.StartsWith("error setting up Metrics: Failed to run Prometheus /metrics endpoint: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_service_hands_out_its_page()
    {
        await using var peer = new TestPeer();
        await peer.StartAsync(ServiceName.Tracker);
        var client = new ServiceInfo.ServiceInfoClient(peer.Channels.For(ServiceName.Tracker));
        Assert.Contains("dotnet_heap_bytes", (await client.MetricsAsync(new MetricsRequest())).Text.ToStringUtf8(), StringComparison.Ordinal);
    }
}
