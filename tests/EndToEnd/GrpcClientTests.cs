using Ipld;
using LocalIpfs;

namespace Cluster.EndToEnd.Tests;

/// <summary>A client in another language, with nothing but the contracts in hand.</summary>
[Trait("Category", "EndToEnd")]
public sealed class GrpcClientTests
{
    [Fact]
    public async Task A_client_in_another_language_pins_watches_and_lists_through_the_contracts()
    {
        await using var ipfs = await IpfsDaemon.StartAsync();
        await using var peer = await RunningPeer.StartAsync(ipfs.ApiMultiaddress);
        var folder = Path.Combine(AppContext.BaseDirectory, "grpc-client");
        if (!File.Exists(Path.Combine(folder, "node_modules", ".package-lock.json")))
        {
            var installed = await Programs.RunAsync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder);
            Assert.True(installed.ExitCode == 0, installed.Output);
        }
        var cid = Convert.ToHexStringLower(Cid.Parse(InlineCids.Create(500, 1)).Bytes);
        var (exitCode, output) = await Programs.RunAsync("node",
            ["client.mjs", Path.Combine(Programs.Repository, "protos"), Path.Combine(peer.Folder, "run"), cid], folder);
        Assert.True(exitCode == 0, $"{output}\n{peer.Log}");
        foreach (var check in new[] { "pin", "watch", "list", "status", "refusal", "export", "import", "consensus health and reflection", "gateway health and reflection" })
            Assert.Contains($"ok {check}", output, StringComparison.Ordinal);
    }
}
