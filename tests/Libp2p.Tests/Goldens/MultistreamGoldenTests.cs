using System.IO.Pipelines;
using System.Text.Json;
using Libp2p.Negotiation;
using Libp2p.Testing;
using Xunit;

namespace Libp2p.Tests.Goldens;

[Trait("Category", "Golden")]
public sealed class MultistreamGoldenTests
{
    private static readonly JsonElement File = Golden.Read("libp2p/multistream.json");

    private sealed class Side
    {
        public Pipe In { get; } = new();

        public Pipe Out { get; } = new();

        public TokenChannel Channel => new PipeTokenChannel(In.Reader, Out.Writer);

        public async Task FeedAsync(JsonElement testCase, string from)
        {
            foreach (var write in testCase.List("wire").Where(w => w.Text("from") == from))
            {
                if (write.Text("hex") is { Length: > 0 } hex) await In.Writer.WriteAsync(Convert.FromHexString(hex));
                else if (write.TryGetProperty("length", out _)) await In.Writer.WriteAsync(Rebuild(testCase, write));
            }
            if (testCase.List("wire").Any(w => w.Text("from") == from && w.TryGetProperty("close", out _))) await In.Writer.CompleteAsync();
        }

        public async Task<byte[]> WrittenAsync()
        {
            await Out.Writer.CompleteAsync();
            return await Out.Reader.ReadAllAsync();
        }
    }

    // Long writes are given by length and hash; they consist of tokens, of the proposed name, and of what a lazy client wrote behind it.
    private static byte[] Rebuild(JsonElement testCase, JsonElement write)
    {
        string name = testCase.List("client_protocols").First().GetString()!;
        byte[] tokens = MultistreamToken.Encode(ProtocolName.Multistream, name);
        int length = write.GetProperty("length").GetInt32(), written = testCase.List("client_calls").Sum(Count);
        byte[][] candidates =
        [
            tokens, MultistreamToken.Encode(name),
            .. Pieces([.. tokens, .. testCase.List("client_calls").SelectMany(c => TestHosts.Pattern(Count(c)))], length, written > 0),
        ];
        return candidates.First(bytes => write.Text("sha256_hex") == Golden.Hex(System.Security.Cryptography.SHA256.HashData(bytes)));
    }

    private static int Count(JsonElement call) => call.TryGetProperty("n", out var n) ? n.GetInt32() : 0;

    // A buffer that runs full splits a write: its beginning and its end.
    private static IEnumerable<byte[]> Pieces(byte[] all, int length, bool any) =>
        any && length <= all.Length ? [all[..length], all[^length..]] : [];

    internal static byte[] Expected(JsonElement testCase, string from)
    {
        var all = new MemoryStream();
        foreach (var write in testCase.List("wire").Where(w => w.Text("from") == from))
        {
            if (write.Text("hex") is { } hex) all.Write(Convert.FromHexString(hex));
            else if (write.TryGetProperty("length", out _)) all.Write(Rebuild(testCase, write));
        }
        return all.ToArray();
    }

    [Fact]
    public void Servers_answer_as_recorded() =>
        Golden.ForEach(File.List("cases").Where(c => c.List("server_protocols").Any()), c => c.Text("name")!, c =>
        {
            var side = new Side();
            side.FeedAsync(c, "client").GetAwaiter().GetResult();
            var supported = c.List("server_protocols").Select(p => p.GetString()!).ToHashSet();
            var result = c.GetProperty("server_result");
            var answer = Multistream.AnswerAsync(side.Channel, supported.Contains, default).AsTask();
            if (result.Text("error") == "(still waiting)")
            {
                Assert.False(answer.IsCompleted);
                return;
            }
            if (result.Text("error") is not null)
            {
                Assert.ThrowsAny<IOException>(() => answer.WaitAsync(TestHosts.Deadline()).GetAwaiter().GetResult());
            }
            else
            {
                Assert.Equal(Name(c, result.Text("protocol")!), answer.WaitAsync(TestHosts.Deadline()).GetAwaiter().GetResult());
                side.In.Writer.Complete();
                byte[] after = side.In.Reader.ReadAllAsync().GetAwaiter().GetResult();
                if (result.Text("bytes_after_hex") is { } rest) Assert.Equal(rest, Golden.Hex(after));
                if (result.Text("bytes_after_sha256_hex") is { } hash)
                {
                    Assert.Equal(result.GetProperty("bytes_after_length").GetInt32(), after.Length);
                    Assert.Equal(hash, Golden.Hex(System.Security.Cryptography.SHA256.HashData(after)));
                }
            }
            Assert.Equal(Golden.Hex(Expected(c, "server")), Golden.Hex(side.WrittenAsync().GetAwaiter().GetResult()));
        });

    [Fact]
    public void Clients_propose_as_recorded() =>
        Golden.ForEach(File.List("cases").Where(c => c.Text("client") == "SelectOneOf"), c => c.Text("name")!, c =>
        {
            var side = new Side();
            side.FeedAsync(c, "server").GetAwaiter().GetResult();
            var protocols = c.List("client_protocols").Select(p => p.GetString()!).ToList();
            if (protocols.Count == 0)
            {
                Assert.ThrowsAny<ArgumentException>(() => Multistream.SelectAsync(side.Channel, protocols, default).AsTask().GetAwaiter().GetResult());
                return;
            }
            var result = c.GetProperty("client_result");
            var select = Multistream.SelectAsync(side.Channel, protocols, default).AsTask();
            if (result.Text("error") is { } error)
            {
                var e = Assert.ThrowsAny<IOException>(() => select.WaitAsync(TestHosts.Deadline()).GetAwaiter().GetResult());
                Assert.Equal(error.StartsWith("protocols not supported", StringComparison.Ordinal), e is ProtocolNotSupportedException);
            }
            else
            {
                Assert.Equal(Name(c, result.Text("protocol")!), select.WaitAsync(TestHosts.Deadline()).GetAwaiter().GetResult());
            }
            Assert.Equal(Golden.Hex(Expected(c, "client")), Golden.Hex(side.WrittenAsync().GetAwaiter().GetResult()));
        });

    private static string Name(JsonElement c, string shown) =>
        shown.Contains("... (", StringComparison.Ordinal) ? c.List("client_protocols").First().GetString()! : shown;
}
