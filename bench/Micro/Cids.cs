using System.Security.Cryptography;
using Ipld;

namespace Cluster.Micro.Bench;

/// <summary>Reading and printing CIDs, beside hex digits as a yardstick.</summary>
internal static class Cids
{
    public static void Run()
    {
        const int count = 100_000;
        var digests = Enumerable.Range(0, 256).Select(i => SHA256.HashData(BitConverter.GetBytes(i))).ToArray();
        var binary1 = digests.Select(digest => new byte[] { 1, 0x70, 0x12, 0x20 }.Concat(digest).ToArray()).ToArray();
        var binary0 = digests.Select(digest => new byte[] { 0x12, 0x20 }.Concat(digest).ToArray()).ToArray();
        var (cids1, cids0) = (binary1.Select(bytes => Cid.FromBytes(bytes)).ToArray(), binary0.Select(bytes => Cid.FromBytes(bytes)).ToArray());
        var (texts1, texts0) = (cids1.Select(cid => cid.ToString()).ToArray(), cids0.Select(cid => cid.ToString()).ToArray());
        var hex = binary1.Select(Convert.ToHexStringLower).ToArray();

        var yardstick = Measure.Calls(count, i => _ = Convert.FromHexString(hex[i & 255])).Nanoseconds;
        Report("hex digits read (yardstick)", Measure.Calls(count, i => _ = Convert.FromHexString(hex[i & 255])), yardstick);
        Report("CIDv1 read (base32)", Measure.Calls(count, i => _ = Cid.Parse(texts1[i & 255])), yardstick);
        Report("CIDv0 read (base58)", Measure.Calls(count, i => _ = Cid.Parse(texts0[i & 255])), yardstick);
        Report("CIDv1 from bytes", Measure.Calls(count, i => _ = Cid.FromBytes(binary1[i & 255])), yardstick);
        Report("CIDv1 printed", Measure.Calls(count, i => _ = cids1[i & 255].ToString()), yardstick);
        Report("CIDv0 printed", Measure.Calls(count, i => _ = cids0[i & 255].ToString()), yardstick);
    }

    private static void Report(string what, (double Nanoseconds, double Bytes) measured, double yardstick) =>
        Console.WriteLine($"{what,-36} {measured.Nanoseconds,9:N0} ns {measured.Bytes,7:N0} B   {measured.Nanoseconds / yardstick,6:N1} x");
}
