using Xunit;

namespace KuboRpc.Tests;

public sealed class DaemonAddressTests
{
    [Theory]
    [InlineData("/ip4/127.0.0.1/tcp/5001", "127.0.0.1:5001")]
    [InlineData("/ip6/::1/tcp/5001", "[::1]:5001")]
    [InlineData("/dns4/ipfs.example/tcp/80", "ipfs.example:80")]
    [InlineData("/dns/localhost/tcp/65535/http", "localhost:65535")]
    [InlineData("/unix/run/ipfs.sock", "localhost")]
    public void Addresses_of_daemons_are_read(string text, string authority) => Assert.Equal(authority, DaemonAddress.Parse(text).Authority);

    [Fact]
    public void A_unix_address_names_its_socket() => Assert.Equal("/run/ipfs.sock", DaemonAddress.Parse("/unix/run/ipfs.sock").SocketPath);

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("127.0.0.1:5001")]
    [InlineData("/ip4/127.0.0.1")]
    [InlineData("/ip4/127.0.0.1/udp/5001")]
    [InlineData("/ip4/localhost/tcp/5001")]
    [InlineData("/ip4/127.0.0.1/tcp/0")]
    [InlineData("/ip4/127.0.0.1/tcp/65536")]
    [InlineData("/ip4/127.0.0.1/tcp/5001/https")]
    [InlineData("/unix/")]
    public void Other_texts_are_refused_with_what_is_expected(string text)
    {
        var failure = Assert.Throws<FormatException>(() => DaemonAddress.Parse(text));
        Assert.Contains("/ip4/<address>/tcp/<port>", failure.Message, StringComparison.Ordinal);
    }
}
