using System.Text;
using Libp2p;

namespace Ctl.Tests;

/// <summary>The API over libp2p streams (spec/ctl.md 1.2).</summary>
public class Libp2pTests
{
    private const string Secret = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData("")]
    [InlineData(Secret)]
    public async Task An_answer_comes_over_a_libp2p_stream(string secret)
    {
        await using var peer = await StartAsync(secret, StubPeer.Json("{\"version\":\"1.1.6\"}"));

        var run = await CtlRun.OfAsync("--host", AddressOf(peer), "--secret", secret, "version");

        Assert.Equal(new CtlRun(0, "1.1.6\n", ""), run);
    }

    [Fact]
    public async Task Another_peer_at_the_address_is_refused()
    {
        await using var peer = await StartAsync("", "");
        const string other = "12D3KooWRN8KRjpyg9rsW2w7StbBRGper65psTZm68cjud9KAkaW";
        var address = AddressOf(peer).Replace(peer.Id.ToString(), other);

        var run = await CtlRun.OfAsync("--host", address, "version");

        Assert.Equal(1, run.Exit);
        Assert.Contains($"failed to negotiate security protocol: peer id mismatch: expected {other}, but remote key matches {peer.Id}", run.Output);
    }

    [Fact]
    public async Task A_peer_without_the_api_says_so()
    {
        await using var peer = await StartAsync("", answer: null);

        var run = await CtlRun.OfAsync("--host", AddressOf(peer), "version");

        Assert.Equal(1, run.Exit);
        Assert.Contains($"Get \"libp2p://{peer.Id}/version\": failed to negotiate protocol: protocols not supported: [/libp2p-http]", run.Output);
    }

    [Fact]
    public async Task Without_the_secret_of_its_network_a_peer_is_not_reached()
    {
        await using var peer = await StartAsync(Secret, "");

        var run = await CtlRun.OfAsync("--host", AddressOf(peer), "version");

        Assert.Equal(1, run.Exit);
        Assert.Contains("failed to negotiate security protocol: ", run.Output);
    }

    private static string AddressOf(Libp2pHost peer) => $"{peer.ListenAddresses[0]}/p2p/{peer.Id}";

    private static async Task<Libp2pHost> StartAsync(string secret, string? answer)
    {
        var host = new Libp2pHost(new HostOptions
        {
            Key = PrivateKey.GenerateEd25519(), Listen = [Multiaddr.Parse("/ip4/127.0.0.1/tcp/0")],
            Secret = secret.Length == 0 ? null : NetworkSecret.FromHex(secret),
        });
        if (answer is not null)
        {
            host.Handle("/libp2p-http", async (stream, cancel) =>
            {
                await using var http = stream.AsStream();
                var request = new StringBuilder();
                var buffer = new byte[4096];
                while (!request.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
                {
                    var read = await http.ReadAsync(buffer, cancel);
                    if (read == 0)
                        return;
                    request.Append(Encoding.UTF8.GetString(buffer, 0, read));
                }

                await http.WriteAsync(Encoding.UTF8.GetBytes(answer), cancel);
                await http.FlushAsync(cancel);
            });
        }

        await host.StartAsync();
        return host;
    }
}
