using Cluster.Micro.Bench;

if (args is [] or ["cid"])
    Cids.Run();
if (args is [] or ["hop"])
    await Hop.RunAsync();
