using System.Globalization;

namespace Ipld;

/// <summary>Reads the <c>chunker</c> parameter; errors are those of go boxo's chunker (spec/rest-api.md 9.1).</summary>
internal static class ChunkerSpecification
{
    private static readonly string TooLarge = string.Create(CultureInfo.InvariantCulture, $"chunker parameters may not exceed the maximum chunk size of {Chunker.MaxChunkSize}");

    public static Func<Stream, Chunker> Parse(string specification)
    {
        if (specification is "" or "default")
        {
            return source => new SizeChunker(source, Chunker.DefaultChunkSize);
        }

        var parts = specification.Split('-');
        return parts[0] switch
        {
            "size" => ParseSize(parts),
            "rabin" => ParseRabin(parts),
            "buzhash" => source => new BuzhashChunker(source),
            _ => throw new ImportException("unrecognized chunker option: " + specification),
        };
    }

    private static Func<Stream, Chunker> ParseSize(string[] parts)
    {
        if (parts.Length != 2)
        {
            throw new ImportException("incorrect chunker string format (expected size-{size})");
        }

        var size = ParseInteger(parts[1]);
        if (size <= 0)
        {
            throw new ImportException("chunker size must be greater than 0");
        }

        Refuse(size > Chunker.MaxChunkSize, TooLarge);
        return source => new SizeChunker(source, (int)size);
    }

    private static Func<Stream, Chunker> ParseRabin(string[] parts)
    {
        switch (parts.Length)
        {
            case 1:
                return source => new RabinChunker(source, Chunker.DefaultChunkSize);
            case 2:
                var size = ParseInteger(parts[1]);
                Refuse((long)((float)size * 1.5f) > Chunker.MaxChunkSize, TooLarge);
                return source => new RabinChunker(source, size);
            case 4:
                var min = ParseLabelled(parts[1], "min", "first label must be min");
                Refuse(min < 16, "rabin min must be greater than 16");
                var average = ParseLabelled(parts[2], "avg", "second label must be avg");
                var max = ParseLabelled(parts[3], "max", "final label must be max");
                Refuse(min >= average, "incorrect format: rabin-min must be smaller than rabin-avg");
                Refuse(average >= max, "incorrect format: rabin-avg must be smaller than rabin-max");
                Refuse(max > Chunker.MaxChunkSize, TooLarge);
                return source => new RabinChunker(source, min, average, max);
            default:
                throw new ImportException("incorrect format (expected 'rabin' 'rabin-[avg]' or 'rabin-[min]-[avg]-[max]'");
        }
    }

    private static long ParseLabelled(string part, string label, string wrongLabel)
    {
        var labelled = part.Split(':');
        Refuse(labelled.Length > 1 && labelled[0] != label, wrongLabel);
        return ParseInteger(labelled[^1]);
    }

    // Go's strconv.Atoi: an optional sign and decimal digits, 64 bits.
    private static long ParseInteger(string text)
    {
        var digits = text.StartsWith('-') || text.StartsWith('+') ? text.AsSpan(1) : text;
        if (digits.IsEmpty || digits.ContainsAnyExceptInRange('0', '9'))
        {
            throw new ImportException($"strconv.Atoi: parsing {GoQuote.Text(text)}: invalid syntax");
        }

        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new ImportException($"strconv.Atoi: parsing {GoQuote.Text(text)}: value out of range");
    }

    private static void Refuse(bool condition, string message)
    {
        if (condition)
        {
            throw new ImportException(message);
        }
    }
}
