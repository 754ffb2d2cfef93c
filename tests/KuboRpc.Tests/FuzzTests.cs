using System.Text;
using Fuzz;
using Fuzz.KuboRpc;
using Xunit;

namespace KuboRpc.Tests;

public sealed class FuzzTests
{
    private const int Iterations = 20_000;

    [Fact]
    public void Any_answer_of_a_daemon_is_read_or_refused() => FuzzRunner.Run(
        DaemonAnswers.Fuzz,
        [
            .. new[]
            {
                "{\"Cid\":\"QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn\",\"Type\":\"recursive\"}\n{\"Cid\":\"zdj7WbTaiJT1fgatdet9Ei9iDB5hdCxkbVyhyh8YTUnXMiwYi\",\"Type\":\"indirect through x\"}\n",
                "{\"Keys\":{\"QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn\":{\"Type\":\"recursive\"}}}",
                "{\"Progress\":1,\"Bytes\":10}\n{}\n{\"Pins\":[\"bafkqaefmoi3iuwdkddazbcbzgvz44ayh\"]}\n",
                "{\"Message\":\"late failure\",\"Code\":0,\"Type\":\"error\"}",
                "{\"Key\":{\"/\":\"QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn\"},\"Error\":\"x\"} 1.5e3 null [[[]]] \"\\ud800\"",
            }.Select(Encoding.UTF8.GetBytes),
        ],
        Iterations,
        seed: 1);

    [Fact]
    public void Any_text_is_a_path_or_an_address_or_refused() => FuzzRunner.Run(
        DaemonTexts.Fuzz,
        [
            .. new[]
            {
                "/ipfs/bafybeicvx65jndihrwe5nzxjeupabznb67smj5zsxpwdogvazoof2xv6nq/sub/../one.txt/",
                "/ipns/k51qzi5uqu5dh4revhg1ruoxb05sxtrc2oqkfpcme9kxtpwij7h7oqhw5uhosl//a",
                "/ip4/127.0.0.1/tcp/5001",
                "/dns4/ipfs.example/tcp/80/http",
                "/unix/run/ipfs.sock",
            }.Select(Encoding.UTF8.GetBytes),
        ],
        Iterations,
        seed: 2);
}
