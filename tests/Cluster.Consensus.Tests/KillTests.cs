using System.Diagnostics;
using System.Net.Sockets;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using V1 = Cluster.Contracts.V1;

namespace Cluster.Consensus.Tests;

/// <summary>The real process is killed while pins are posted: whatever it answered is in the pinset afterwards.</summary>
[Trait("Category", "Slow")]
public sealed class KillTests
{
    [Fact]
    public async Task Every_answered_pin_survives_kill_9()
    {
        var folder = Directory.CreateTempSubdirectory("ck").FullName;
        try
        {
            foreach (var (file, name) in new[] { ("identity.json", "identity.json"), ("service.crdt.json", "service.json") })
                File.Copy(Path.Combine(Golden(), "files", file), Path.Combine(folder, name));
            var acknowledged = new List<ByteString>();
            for (var round = 0; round < 3; round++)
            {
                using var process = Start(folder);
                try
                {
                    using var channel = Connect(Path.Combine(folder, "run", "consensus.sock"));
                    var client = new V1.Cluster.ClusterClient(channel);
                    await CheckAsync(client, acknowledged);
                    await PostUntilKilledAsync(client, process, round, acknowledged);
                }
                finally
                {
                    process.Kill();
                    await process.WaitForExitAsync();
                }
            }

            Assert.True(acknowledged.Count > 100);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task CheckAsync(V1.Cluster.ClusterClient client, List<ByteString> acknowledged)
    {
        var found = new HashSet<ByteString>();
        using var call = client.Allocations(new V1.AllocationsRequest(), deadline: DateTime.UtcNow.AddMinutes(5));
        while (await call.ResponseStream.MoveNext(CancellationToken.None))
            found.UnionWith(call.ResponseStream.Current.Pins.Select(p => p.Cid));
        Assert.DoesNotContain(acknowledged, cid => !found.Contains(cid));
    }

    private static async Task PostUntilKilledAsync(V1.Cluster.ClusterClient client, Process process, int round, List<ByteString> acknowledged)
    {
        var answered = new List<ByteString>();
        var posters = Enumerable.Range(0, 8).Select(async poster =>
        {
            for (var i = 0; ; i++)
            {
                var cid = ByteString.CopyFrom(Peer.Cid(round << 24 | poster << 20 | i).Bytes);
                try
                {
                    await client.PinAsync(new V1.PinRequest { Cid = cid }, deadline: DateTime.UtcNow.AddMinutes(5));
                }
                catch (RpcException)
                {
                    return;
                }

                lock (answered)
                {
                    answered.Add(cid);
                    if (answered.Count == 200 + round * 77)
                        process.Kill();
                }
            }
        });
        await Task.WhenAll(posters);
        acknowledged.AddRange(answered);
    }

    private static Process Start(string folder)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardError = true };
        start.ArgumentList.Add("exec");
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "cluster-consensus.dll"));
        start.ArgumentList.Add("--config");
        start.ArgumentList.Add(folder);
        start.ArgumentList.Add("--loglevel");
        start.ArgumentList.Add("error");

        // At a port that is free, and without looking for others on this machine's network.
        start.Environment["CLUSTER_LISTENMULTIADDRESS"] = "/ip4/127.0.0.1/tcp/0";
        start.Environment["CLUSTER_MDNSINTERVAL"] = "0s";
        var process = Process.Start(start)!;
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
        return process;
    }

    /// <summary>Connects as soon as somebody listens; a busy machine takes its time to start a process.</summary>
    private static GrpcChannel Connect(string socket) => GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
    {
        HttpHandler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, token) =>
            {
                for (var started = Stopwatch.GetTimestamp(); ; await Task.Delay(20, token))
                {
                    var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                    try
                    {
                        await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), token);
                        return new NetworkStream(connection, ownsSocket: true);
                    }
                    catch (SocketException) when (Stopwatch.GetElapsedTime(started) < TimeSpan.FromMinutes(3))
                    {
                        connection.Dispose();
                    }
                }
            },
        },
    });

    private static string Golden()
    {
        if (Environment.GetEnvironmentVariable("GOLDEN") is { Length: > 0 } folder)
            return folder;
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (at is not null && !File.Exists(Path.Combine(at.FullName, "Cluster.Micro.sln")))
            at = at.Parent;
        return Path.Combine(at?.FullName ?? throw new DirectoryNotFoundException("no Cluster.Micro.sln above the tests"), "tests", "golden");
    }
}
