using Cluster.Contracts.V1;
using Cluster.Hosting;
using Cluster.Tracker;
using Cluster.Tracker.Api;
using Cluster.Tracker.Hosting;

return await ServiceHost.RunAsync(ServiceName.Tracker, args, async service =>
{
    var parts = await TrackerStart.OpenAsync(service.Context, TimeProvider.System, CancellationToken.None);
    service.MapGrpc<TrackerService>();
    service.AnnounceStop("pintracker", "stopping StatelessPinTracker");
    service.Services.AddSingleton(parts.Service);
    service.Services.AddSingleton(_ => parts);
    service.Services.AddHostedService<TrackerWork>();
});
