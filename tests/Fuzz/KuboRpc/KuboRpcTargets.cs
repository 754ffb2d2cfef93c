using System.Text;
using KuboRpc;
using KuboRpc.Json;

namespace Fuzz.KuboRpc;

/// <summary>The daemon's JSON stream, cut into values however its bytes come, and its pin listings.</summary>
public static class DaemonAnswers
{
    private const int MaxValue = 64 * 1024;
    private const string Refused = "refused";

    /// <summary>The target.</summary>
    public static void Fuzz(ReadOnlySpan<byte> input)
    {
        var bytes = input.ToArray();
        var whole = Read(new MemoryStream(bytes));
        var drop = Read(new DropByDrop(bytes));
        Check.That(whole.SequenceEqual(drop), "values depend on how the bytes arrive");
        foreach (var value in whole.Where(value => value != Refused))
        {
            try
            {
                foreach (var pin in PinLine.Read(Encoding.Latin1.GetBytes(value)))
                    Check.That(pin.Cid.IsDefined, "a pin without a CID");
            }
            catch (KuboException)
            {
                // No pin.
            }
            _ = JsonFields.ErrorMessage(Encoding.Latin1.GetBytes(value));
        }
    }

    private static List<string> Read(Stream stream)
    {
        var values = new List<string>();
        using var reader = new JsonValueReader(stream, MaxValue);
        try
        {
            while (reader.ReadAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult())
                values.Add(Encoding.Latin1.GetString(reader.Current.Span));
        }
        catch (DaemonAnswerException)
        {
            values.Add(Refused);
        }
        return values;
    }

    /// <summary>Gives one byte a read.</summary>
    private sealed class DropByDrop(byte[] bytes) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(1, buffer.Length)], cancellationToken);
    }
}

/// <summary>Content paths and daemon addresses.</summary>
public static class DaemonTexts
{
    /// <summary>The target.</summary>
    public static void Fuzz(ReadOnlySpan<byte> input)
    {
        var text = Encoding.UTF8.GetString(input);
        if (ContentPath.TryParse(text, out var path, out _))
        {
            Check.That(ContentPath.TryParse(path.Text, out var again, out _), "a cleaned path is no path");
            Check.That(again == path, "cleaning twice changes a path");
        }
        try
        {
            _ = DaemonAddress.Parse(text).Authority;
        }
        catch (FormatException)
        {
            // No address.
        }
        _ = new Uri("http://localhost/api/v0/resolve?arg=" + JsonFields.Escape(text), UriKind.Absolute);
    }
}
