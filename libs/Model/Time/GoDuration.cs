using System.Buffers;
using System.Globalization;

namespace Cluster.Model;

/// <summary>A length of time in nanoseconds (about ±292 years), read and printed as Go does: <c>1h30m0s</c>, <c>300ms</c>, <c>0s</c>.</summary>
public readonly record struct GoDuration(long Nanoseconds) : IComparable<GoDuration>
{
    private const long Microsecond = 1_000;
    private const long Millisecond = 1_000_000;
    private const long Second = 1_000_000_000;
    private const long Minute = 60 * Second;
    private const long Hour = 60 * Minute;

    private static readonly SearchValues<char> NumberStart = SearchValues.Create(".0123456789");

    public static GoDuration Zero => default;

    public static GoDuration FromHours(long hours) => new(hours * Hour);

    public static GoDuration FromMinutes(long minutes) => new(minutes * Minute);

    public static GoDuration FromSeconds(long seconds) => new(seconds * Second);

    public static GoDuration FromMilliseconds(long milliseconds) => new(milliseconds * Millisecond);

    /// <summary>Saturates where the span does not fit nanoseconds.</summary>
    public static GoDuration FromTimeSpan(TimeSpan span) =>
        span.Ticks > long.MaxValue / 100 ? new(long.MaxValue)
        : span.Ticks < long.MinValue / 100 ? new(long.MinValue)
        : new(span.Ticks * 100);

    /// <summary>The same length in .NET's unit of 100 ns (the rest is cut off).</summary>
    public TimeSpan ToTimeSpan() => new(Nanoseconds / 100);

    public int CompareTo(GoDuration other) => Nanoseconds.CompareTo(other.Nanoseconds);

    public static bool operator <(GoDuration left, GoDuration right) => left.Nanoseconds < right.Nanoseconds;

    public static bool operator >(GoDuration left, GoDuration right) => left.Nanoseconds > right.Nanoseconds;

    public static bool operator <=(GoDuration left, GoDuration right) => left.Nanoseconds <= right.Nanoseconds;

    public static bool operator >=(GoDuration left, GoDuration right) => left.Nanoseconds >= right.Nanoseconds;

    /// <exception cref="FormatException">With Go's words, for example <c>time: missing unit in duration "5"</c>.</exception>
    public static GoDuration Parse(string text) =>
        TryParse(text, out var duration, out var error) ? duration : throw new FormatException(error);

    /// <summary>Reads decimal numbers with units <c>ns us µs ms s m h</c>; <paramref name="error"/> has Go's words.</summary>
    public static bool TryParse(string text, out GoDuration duration, out string error)
    {
        ArgumentNullException.ThrowIfNull(text);
        duration = default;
        error = string.Empty;
        var rest = text.AsSpan();
        var negative = false;
        if (rest.Length > 0 && rest[0] is '-' or '+')
        {
            negative = rest[0] == '-';
            rest = rest[1..];
        }

        if (rest is "0")
            return true;
        if (rest.IsEmpty)
            return Invalid(text, out error);

        ulong total = 0;
        while (!rest.IsEmpty)
        {
            if (rest[0] != '.' && !char.IsAsciiDigit(rest[0]))
                return Invalid(text, out error);
            if (!TakeNumber(ref rest, out var whole, out var fraction, out var scale, out var digits) || !digits)
                return Invalid(text, out error);

            var unitLength = rest.IndexOfAny(NumberStart);
            if (unitLength < 0)
                unitLength = rest.Length;
            if (unitLength == 0)
            {
                error = "time: missing unit in duration " + GoText.QuoteForTime(text);
                return false;
            }

            var unitText = rest[..unitLength];
            rest = rest[unitLength..];
            var unit = UnitOf(unitText);
            if (unit == 0)
            {
                error = "time: unknown unit " + GoText.QuoteForTime(unitText) + " in duration " + GoText.QuoteForTime(text);
                return false;
            }

            const ulong limit = 1UL << 63;
            if (whole > limit / unit)
                return Invalid(text, out error);
            whole *= unit;
            if (fraction > 0)
                whole += (ulong)(fraction * (unit / scale));
            if (whole > limit || total + whole > limit)
                return Invalid(text, out error);
            total += whole;
        }

        if (!negative && total > long.MaxValue)
            return Invalid(text, out error);
        duration = new(negative ? unchecked(-(long)total) : (long)total);
        return true;
    }

    /// <summary>Go's form: <c>1h30m5.25s</c>, <c>1.5ms</c>, <c>0s</c>.</summary>
    public override string ToString()
    {
        if (Nanoseconds == 0)
            return "0s";
        var sign = Nanoseconds < 0 ? "-" : string.Empty;
        var rest = Nanoseconds < 0 ? (ulong)-(Nanoseconds + 1) + 1 : (ulong)Nanoseconds;
        if (rest < Second)
        {
            var (unit, suffix) = rest < Microsecond ? (1UL, "ns") : rest < Millisecond ? ((ulong)Microsecond, "µs") : ((ulong)Millisecond, "ms");
            return sign + Decimal(rest, unit) + suffix;
        }

        var seconds = Decimal(rest % Minute, Second) + "s";
        var minutes = rest / Minute;
        if (minutes == 0)
            return sign + seconds;
        var hours = minutes / 60;
        return hours == 0
            ? string.Create(CultureInfo.InvariantCulture, $"{sign}{minutes}m{seconds}")
            : string.Create(CultureInfo.InvariantCulture, $"{sign}{hours}h{minutes % 60}m{seconds}");
    }

    private static string Decimal(ulong value, ulong unit)
    {
        var whole = (value / unit).ToString(CultureInfo.InvariantCulture);
        var part = value % unit;
        if (part == 0)
            return whole;
        var width = unit switch { Second => 9, Millisecond => 6, _ => 3 };
        return whole + "." + part.ToString(CultureInfo.InvariantCulture).PadLeft(width, '0').TrimEnd('0');
    }

    private static ulong UnitOf(ReadOnlySpan<char> unit) => unit switch
    {
        "ns" => 1,
        "us" or "µs" or "μs" => (ulong)Microsecond,
        "ms" => (ulong)Millisecond,
        "s" => (ulong)Second,
        "m" => (ulong)Minute,
        "h" => (ulong)Hour,
        _ => 0,
    };

    private static bool TakeNumber(ref ReadOnlySpan<char> rest, out ulong whole, out ulong fraction, out double scale, out bool digits)
    {
        const ulong limit = 1UL << 63;
        (whole, fraction, scale, digits) = (0, 0, 1, false);
        var i = 0;
        for (; i < rest.Length && char.IsAsciiDigit(rest[i]); i++)
        {
            if (whole > limit / 10)
                return false;
            whole = whole * 10 + (ulong)(rest[i] - '0');
            if (whole > limit)
                return false;
            digits = true;
        }

        if (i < rest.Length && rest[i] == '.')
        {
            // Digits beyond what 63 bits hold are below a nanosecond's weight and are read over, as Go does.
            var overflow = false;
            for (i++; i < rest.Length && char.IsAsciiDigit(rest[i]); i++)
            {
                digits = true;
                if (overflow)
                    continue;
                if (fraction > (limit - 1) / 10 || fraction * 10 + (ulong)(rest[i] - '0') > limit)
                {
                    overflow = true;
                    continue;
                }

                fraction = fraction * 10 + (ulong)(rest[i] - '0');
                scale *= 10;
            }
        }

        rest = rest[i..];
        return true;
    }

    private static bool Invalid(string text, out string error)
    {
        error = "time: invalid duration " + GoText.QuoteForTime(text);
        return false;
    }
}
