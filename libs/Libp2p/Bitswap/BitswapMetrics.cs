using System.Diagnostics.Metrics;

namespace Libp2p.Bitswap;

/// <summary>Instruments of bitswap, in the meter <c>Libp2p</c>.</summary>
internal sealed class BitswapMetrics : IDisposable
{
    private readonly Meter meter = new("Libp2p");
    private readonly Counter<long> blocks;
    private readonly Counter<long> bytes;

    public BitswapMetrics()
    {
        blocks = meter.CreateCounter<long>("libp2p.bitswap.blocks", "{block}", "Blocks by result: sent, received, unwanted.");
        bytes = meter.CreateCounter<long>("libp2p.bitswap.bytes", "By", "Bytes of blocks by result: sent, received, unwanted.");
    }

    public void Counted(string result, int size)
    {
        var tag = new KeyValuePair<string, object?>("result", result);
        blocks.Add(1, tag);
        bytes.Add(size, tag);
    }

    public void Dispose() => meter.Dispose();
}
