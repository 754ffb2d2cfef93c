using System.Globalization;
using System.Text;

namespace Cluster.Model;

/// <summary>
/// An instant with nanoseconds and the offset it was written with, read and printed as Go's <c>time.Time</c> in RFC 3339
/// (spec/rest-api.md 5.3). The default value is Go's zero time, <c>0001-01-01T00:00:00Z</c>, which means "none".
/// Equality and order look at the instant only.
/// </summary>
public readonly struct GoTime : IEquatable<GoTime>, IComparable<GoTime>, IUtf8SpanFormattable
{
    /// <summary>Longest text of <see cref="TryFormat(Span{byte}, out int)"/> in bytes.</summary>
    public const int MaxTextLength = 40;

    private const long UnixEpochSeconds = 62_135_596_800;
    private const int NanosecondsPerSecond = 1_000_000_000;

    private readonly long _seconds; // since 0001-01-01T00:00:00Z
    private readonly int _nanoseconds;
    private readonly short _offsetMinutes;

    private GoTime(long seconds, int nanoseconds, short offsetMinutes)
    {
        _seconds = seconds;
        _nanoseconds = nanoseconds;
        _offsetMinutes = offsetMinutes;
    }

    /// <summary>No time: <c>0001-01-01T00:00:00Z</c>.</summary>
    public static GoTime Zero => default;

    public bool IsZero => _seconds == 0 && _nanoseconds == 0;

    /// <summary>Seconds since 1970, rounded down; negative before.</summary>
    public long UnixSeconds => _seconds - UnixEpochSeconds;

    /// <summary>Nanoseconds since 1970; wraps around outside of 1678..2262, as in Go.</summary>
    public long UnixNanoseconds => unchecked(UnixSeconds * NanosecondsPerSecond + _nanoseconds);

    /// <summary>The part below a second, 0..999,999,999.</summary>
    public int Nanosecond => _nanoseconds;

    /// <summary>Offset from UTC in which the time is printed, in minutes.</summary>
    public int OffsetMinutes => _offsetMinutes;

    /// <summary>The time in UTC; <paramref name="nanoseconds"/> may be any number and carries over.</summary>
    public static GoTime FromUnix(long seconds, long nanoseconds = 0)
    {
        var carry = Math.DivRem(nanoseconds, NanosecondsPerSecond, out var rest);
        if (rest < 0)
        {
            rest += NanosecondsPerSecond;
            carry--;
        }

        return new(unchecked(seconds + carry + UnixEpochSeconds), (int)rest, 0);
    }

    /// <summary>The time in UTC.</summary>
    public static GoTime FromUnixNanoseconds(long nanoseconds) => FromUnix(0, nanoseconds);

    public static GoTime FromDateTimeOffset(DateTimeOffset time)
    {
        var seconds = Math.DivRem(time.UtcTicks, TimeSpan.TicksPerSecond, out var ticks);
        return new(seconds, (int)ticks * 100, (short)time.TotalOffsetMinutes);
    }

    /// <summary>The clock's present time in UTC.</summary>
    public static GoTime Now(TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        return FromDateTimeOffset(clock.GetUtcNow());
    }

    /// <summary>Clamped to what .NET can express (years 1 to 9999).</summary>
    public DateTimeOffset ToDateTimeOffset()
    {
        var offset = TimeSpan.FromMinutes(Math.Clamp(_offsetMinutes, (short)(-14 * 60), (short)(14 * 60)));
        var most = DateTimeOffset.MaxValue.Ticks / TimeSpan.TicksPerSecond;
        if (_seconds <= 0)
            return DateTimeOffset.MinValue;
        if (_seconds >= most)
            return DateTimeOffset.MaxValue;
        var utc = new DateTimeOffset(_seconds * TimeSpan.TicksPerSecond + _nanoseconds / 100, TimeSpan.Zero);
        try
        {
            return utc.ToOffset(offset);
        }
        catch (ArgumentOutOfRangeException)
        {
            return utc;
        }
    }

    public GoTime ToUniversal() => new(_seconds, _nanoseconds, 0);

    /// <summary>The same instant, printed with another offset.</summary>
    public GoTime WithOffset(int minutes) => new(_seconds, _nanoseconds, (short)minutes);

    /// <summary>Whole seconds in UTC: what the shared state keeps.</summary>
    public GoTime ToStoredPrecision() => new(_seconds, 0, 0);

    public GoTime Add(GoDuration duration)
    {
        var moved = FromUnix(UnixSeconds + duration.Nanoseconds / NanosecondsPerSecond, _nanoseconds + duration.Nanoseconds % NanosecondsPerSecond);
        return new(moved._seconds, moved._nanoseconds, _offsetMinutes);
    }

    /// <summary>This minus <paramref name="other"/>; saturates.</summary>
    public GoDuration Subtract(GoTime other)
    {
        var difference = ((Int128)_seconds - other._seconds) * NanosecondsPerSecond + (_nanoseconds - other._nanoseconds);
        return new((long)Int128.Clamp(difference, long.MinValue, long.MaxValue));
    }

    public bool Equals(GoTime other) => _seconds == other._seconds && _nanoseconds == other._nanoseconds;

    public override bool Equals(object? obj) => obj is GoTime other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(_seconds, _nanoseconds);

    public int CompareTo(GoTime other) =>
        _seconds != other._seconds ? _seconds.CompareTo(other._seconds) : _nanoseconds.CompareTo(other._nanoseconds);

    public static bool operator ==(GoTime left, GoTime right) => left.Equals(right);

    public static bool operator !=(GoTime left, GoTime right) => !left.Equals(right);

    public static bool operator <(GoTime left, GoTime right) => left.CompareTo(right) < 0;

    public static bool operator >(GoTime left, GoTime right) => left.CompareTo(right) > 0;

    public static bool operator <=(GoTime left, GoTime right) => left.CompareTo(right) <= 0;

    public static bool operator >=(GoTime left, GoTime right) => left.CompareTo(right) >= 0;

    /// <exception cref="FormatException">With Go's words.</exception>
    public static GoTime Parse(string text) =>
        TryParse(text, out var time, out var error) ? time : throw new FormatException(error);

    /// <summary>Reads RFC 3339 as Go's <c>time.Parse</c>; <paramref name="error"/> has Go's words.</summary>
    public static bool TryParse(string text, out GoTime time, out string error) => Rfc3339.TryParse(text, strict: false, out time, out error);

    /// <summary>Reads RFC 3339 as Go does inside JSON, where a one-digit hour and a comma before the fraction are refused.</summary>
    public static bool TryParseStrict(string text, out GoTime time, out string error) => Rfc3339.TryParse(text, strict: true, out time, out error);

    /// <summary>Writes RFC 3339 with up to nine digits after the second, zeros at the end cut off.</summary>
    public bool TryFormat(Span<byte> utf8Destination, out int bytesWritten)
    {
        bytesWritten = 0;
        if (utf8Destination.Length < MaxTextLength)
            return false;
        var local = _seconds + _offsetMinutes * 60L;
        var day = Math.DivRem(local, 86_400, out var second);
        if (second < 0)
        {
            second += 86_400;
            day--;
        }

        var (year, month, date) = Rfc3339.CivilFromDays(day);
        var at = 0;
        if (year is >= 0 and <= 9999)
        {
            Rfc3339.Digits(utf8Destination, ref at, (int)year, 4);
        }
        else
        {
            year.TryFormat(utf8Destination, out at, default, CultureInfo.InvariantCulture);
        }

        utf8Destination[at++] = (byte)'-';
        Rfc3339.Digits(utf8Destination, ref at, month, 2);
        utf8Destination[at++] = (byte)'-';
        Rfc3339.Digits(utf8Destination, ref at, date, 2);
        utf8Destination[at++] = (byte)'T';
        Rfc3339.Digits(utf8Destination, ref at, (int)(second / 3600), 2);
        utf8Destination[at++] = (byte)':';
        Rfc3339.Digits(utf8Destination, ref at, (int)(second / 60 % 60), 2);
        utf8Destination[at++] = (byte)':';
        Rfc3339.Digits(utf8Destination, ref at, (int)(second % 60), 2);
        if (_nanoseconds != 0)
        {
            utf8Destination[at++] = (byte)'.';
            Rfc3339.Digits(utf8Destination, ref at, _nanoseconds, 9);
            while (utf8Destination[at - 1] == (byte)'0')
                at--;
        }

        if (_offsetMinutes == 0)
        {
            utf8Destination[at++] = (byte)'Z';
        }
        else
        {
            var offset = Math.Abs((int)_offsetMinutes);
            utf8Destination[at++] = _offsetMinutes < 0 ? (byte)'-' : (byte)'+';
            Rfc3339.Digits(utf8Destination, ref at, offset / 60, 2);
            utf8Destination[at++] = (byte)':';
            Rfc3339.Digits(utf8Destination, ref at, offset % 60, 2);
        }

        bytesWritten = at;
        return true;
    }

    bool IUtf8SpanFormattable.TryFormat(Span<byte> utf8Destination, out int bytesWritten, ReadOnlySpan<char> format, IFormatProvider? provider) =>
        TryFormat(utf8Destination, out bytesWritten);

    public override string ToString()
    {
        Span<byte> text = stackalloc byte[MaxTextLength];
        TryFormat(text, out var length);
        return Encoding.ASCII.GetString(text[..length]);
    }
}
