using System.Buffers.Binary;

namespace Fuzz;

/// <summary>Input that broke a parser.</summary>
public sealed class FuzzException : Exception
{
    /// <summary>With the input in hexadecimal.</summary>
    public FuzzException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Without an input.</summary>
    public FuzzException()
    {
    }

    /// <summary>With a message.</summary>
    public FuzzException(string message)
        : base(message)
    {
    }
}

/// <summary>Runs a target on random input and on mutations of good input; the same seed gives the same run.</summary>
public static class FuzzRunner
{
    private const int MaxRandomLength = 256;
    private const int MaxShown = 4096;

    private static readonly byte[] Interesting = [0x00, 0x01, 0x7f, 0x80, 0xff, 0x12, 0x20, 0x0a, (byte)'/', (byte)'"', (byte)'%', (byte)'-'];

    /// <summary>Runs <paramref name="iterations"/> inputs.</summary>
    /// <param name="target">The parser.</param>
    /// <param name="corpus">Good inputs; may be empty.</param>
    /// <param name="iterations">How many inputs to try besides the corpus itself.</param>
    /// <param name="seed">Of the random numbers.</param>
    /// <exception cref="FuzzException">An input broke the target; it is in the message.</exception>
    public static void Run(FuzzTarget target, IReadOnlyList<byte[]> corpus, int iterations, int seed)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(corpus);
        foreach (var input in corpus)
        {
            Try(target, input);
        }

        var random = new Random(seed);
        for (var i = 0; i < iterations; i++)
        {
            Try(target, corpus.Count == 0 || i % 8 == 0 ? RandomInput(random) : Mutate(corpus, random));
        }
    }

    private static void Try(FuzzTarget target, byte[] input)
    {
        try
        {
            target(input);
        }
        catch (Exception e)
        {
            throw new FuzzException($"{e.GetType().Name} on {Convert.ToHexStringLower(input.AsSpan(0, Math.Min(input.Length, MaxShown)))}: {e.Message}", e);
        }
    }

    private static byte[] RandomInput(Random random)
    {
        var input = new byte[random.Next(MaxRandomLength)];
        random.NextBytes(input);
        return input;
    }

    private static byte[] Mutate(IReadOnlyList<byte[]> corpus, Random random)
    {
        var input = corpus[random.Next(corpus.Count)].ToList();
        for (var step = random.Next(1, 5); step > 0; step--)
        {
            var at = random.Next(input.Count + 1);
            switch (random.Next(7))
            {
                case 0 when at < input.Count:
                    input[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1 when at < input.Count:
                    input[at] = Interesting[random.Next(Interesting.Length)];
                    break;
                case 2:
                    input.Insert(at, (byte)random.Next(256));
                    break;
                case 3:
                    input.RemoveRange(at, random.Next(Math.Min(16, input.Count - at + 1)));
                    break;
                case 4:
                    input.RemoveRange(at, input.Count - at);
                    break;
                case 5:
                    var other = corpus[random.Next(corpus.Count)];
                    var from = random.Next(other.Length + 1);
                    input.InsertRange(at, other.AsSpan(from, Math.Min(random.Next(64), other.Length - from)).ToArray());
                    break;
                default:
                    var number = new byte[8];
                    BinaryPrimitives.WriteInt64LittleEndian(number, random.NextInt64() >> random.Next(64));
                    input.InsertRange(at, number);
                    break;
            }
        }

        return [.. input];
    }
}
