namespace Cluster.Model;

/// <summary>Base64 of the standard alphabet with Go's complaint.</summary>
public static class GoBase64
{
    /// <summary>Decodes; line ends are skipped. The complaint is <c>illegal base64 data at input byte N</c>.</summary>
    public static bool TryDecode(string text, out byte[] bytes, out string error)
    {
        ArgumentNullException.ThrowIfNull(text);
        bytes = [];
        error = string.Empty;
        var clean = text.Replace("\r", string.Empty, StringComparison.Ordinal).Replace("\n", string.Empty, StringComparison.Ordinal);
        var buffer = new byte[clean.Length];
        if (!clean.Contains(' ', StringComparison.Ordinal) && !clean.Contains('\t', StringComparison.Ordinal)
            && Convert.TryFromBase64String(clean, buffer, out var length))
        {
            bytes = buffer[..length];
            return true;
        }

        var bad = 0;
        while (bad < clean.Length && (char.IsAsciiLetterOrDigit(clean[bad]) || clean[bad] is '+' or '/'))
            bad++;
        // All letters are good, but some are missing: Go names the start of the incomplete group.
        if (bad == clean.Length)
            bad -= clean.Length % 4;
        error = $"illegal base64 data at input byte {bad}";
        return false;
    }
}
