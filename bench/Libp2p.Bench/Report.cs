namespace Libp2p.Bench;

internal static class Report
{
    public static void Rate(string what, double bytesPerSecond) => Console.WriteLine($"{what,-66} {bytesPerSecond / (1 << 20),10:0} MiB/s");

    public static void Ratio(string what, double ratio) => Console.WriteLine($"{what,-66} {ratio,10:0.00}");

    public static void Count(string what, double count) => Console.WriteLine($"{what,-66} {count,10:0.#}");
}
