namespace Cluster.Model;

/// <summary>The layout <c>2006-01-02T15:04:05Z07:00</c> of Go's package <c>time</c>: reading with its exact complaints, calendar arithmetic.</summary>
internal static class Rfc3339
{
    private const string Layout = "\"2006-01-02T15:04:05Z07:00\"";

    public static bool TryParse(string text, bool strict, out GoTime time, out string error)
    {
        time = default;
        var parse = new Cursor(text);
        if (parse.Read(out time))
        {
            error = strict ? StrictComplaint(text) : string.Empty;
            return error.Length == 0;
        }

        error = parse.Error;
        return false;
    }

    /// <summary>Days since 0001-01-01 to the proleptic Gregorian calendar.</summary>
    public static (long Year, int Month, int Day) CivilFromDays(long days)
    {
        var shifted = days + 306; // since 0000-03-01
        var era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097;
        var dayOfEra = shifted - era * 146_097;
        var yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365;
        var dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
        var shiftedMonth = (5 * dayOfYear + 2) / 153;
        var day = (int)(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1);
        var month = (int)(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9);
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day);
    }

    public static void Digits(Span<byte> target, ref int at, int value, int width)
    {
        for (var i = at + width - 1; i >= at; i--)
        {
            target[i] = (byte)('0' + value % 10);
            value /= 10;
        }

        at += width;
    }

    private static long DaysFromCivil(int year, int month, int day)
    {
        var y = (long)year - (month <= 2 ? 1 : 0);
        var era = (y >= 0 ? y : y - 399) / 400;
        var yearOfEra = y - era * 400;
        var dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
        var dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear;
        return era * 146_097 + dayOfEra - 306;
    }

    private static int DaysIn(int month, int year) => month switch
    {
        2 => year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28,
        4 or 6 or 9 or 11 => 30,
        _ => 31,
    };

    private static string StrictComplaint(string text)
    {
        if (text[12] == ':')
            return Complain(text, text[11..12], "15", string.Empty);
        if (text.Length > 19 && text[19] == ',')
            return Complain(text, ",", ".", string.Empty);
        if (text[^1] != 'Z')
        {
            if (TwoDigits(text.AsSpan(text.Length - 5)) >= 24)
                return Complain(text, string.Empty, string.Empty, ": timezone hour out of range");
            if (TwoDigits(text.AsSpan(text.Length - 2)) >= 60)
                return Complain(text, string.Empty, string.Empty, ": timezone minute out of range");
        }

        return string.Empty;

        static int TwoDigits(ReadOnlySpan<char> s) => 10 * (s[0] - '0') + (s[1] - '0');
    }

    private static string Complain(string text, string value, string element, string message) => message.Length > 0
        ? "parsing time " + GoText.QuoteForTime(text) + message
        : "parsing time " + GoText.QuoteForTime(text) + " as " + Layout + ": cannot parse " + GoText.QuoteForTime(value) + " as \"" + element + "\"";

    private ref struct Cursor(string text)
    {
        private readonly string _text = text;
        private ReadOnlySpan<char> _rest = text;

        public string Error { get; private set; } = string.Empty;

        public bool Read(out GoTime time)
        {
            time = default;
            if (!Year(out var year)
                || !Literal('-') || !Number("01", oneDigit: false, 1, 12, "month", out var month)
                || !Literal('-') || !Number("02", oneDigit: false, int.MinValue, int.MaxValue, "day", out var day)
                || !Literal('T') || !Number("15", oneDigit: true, 0, 23, "hour", out var hour)
                || !Literal(':') || !Number("04", oneDigit: false, 0, 59, "minute", out var minute)
                || !Literal(':') || !Number("05", oneDigit: false, 0, 59, "second", out var second))
            {
                return false;
            }

            var nanoseconds = Fraction();
            if (!Zone(out var offset))
                return false;
            if (!_rest.IsEmpty)
                return Fail(string.Empty, string.Empty, ": extra text: " + GoText.QuoteForTime(_rest));
            if (day < 1 || day > DaysIn(month, year))
                return Fail(string.Empty, string.Empty, ": day out of range");

            var seconds = DaysFromCivil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset * 60L;
            time = GoTime.FromUnix(seconds - 62_135_596_800, nanoseconds).WithOffset(offset);
            return true;
        }

        private bool Year(out int year)
        {
            year = 0;
            if (_rest.Length < 4)
                return Fail(_rest, "2006");
            foreach (var c in _rest[..4])
            {
                if (!char.IsAsciiDigit(c))
                    return Fail(_rest, "2006");
                year = year * 10 + (c - '0');
            }

            _rest = _rest[4..];
            return true;
        }

        private bool Literal(char expected)
        {
            if (_rest.IsEmpty || _rest[0] != expected)
                return Fail(_rest, expected.ToString());
            _rest = _rest[1..];
            return true;
        }

        private bool Number(string element, bool oneDigit, int least, int most, string what, out int number)
        {
            number = 0;
            if (_rest.IsEmpty || !char.IsAsciiDigit(_rest[0]))
                return Fail(_rest, element);
            if (_rest.Length < 2 || !char.IsAsciiDigit(_rest[1]))
            {
                if (!oneDigit)
                    return Fail(_rest, element);
                number = _rest[0] - '0';
                _rest = _rest[1..];
            }
            else
            {
                number = 10 * (_rest[0] - '0') + (_rest[1] - '0');
                _rest = _rest[2..];
            }

            return (number >= least && number <= most) || Fail(_rest, element, ": " + what + " out of range");
        }

        private int Fraction()
        {
            if (_rest.Length < 2 || _rest[0] is not ('.' or ',') || !char.IsAsciiDigit(_rest[1]))
                return 0;
            var nanoseconds = 0;
            var weight = 100_000_000;
            var i = 1;
            for (; i < _rest.Length && char.IsAsciiDigit(_rest[i]); i++)
            {
                nanoseconds += (_rest[i] - '0') * weight;
                weight /= 10;
            }

            _rest = _rest[i..];
            return nanoseconds;
        }

        private bool Zone(out int offsetMinutes)
        {
            offsetMinutes = 0;
            if (!_rest.IsEmpty && _rest[0] == 'Z')
            {
                _rest = _rest[1..];
                return true;
            }

            var hold = _rest;
            if (hold.Length < 6 || hold[3] != ':' || !Pair(hold[1..3], out var hours) || !Pair(hold[4..6], out var minutes))
                return Fail(hold, "Z07:00");
            _rest = _rest[6..];
            if (hours > 24)
                return Fail(_rest, "Z07:00", ": time zone offset hour out of range");
            if (minutes > 60)
                return Fail(_rest, "Z07:00", ": time zone offset minute out of range");
            if (hold[0] is not ('+' or '-'))
                return Fail(hold, "Z07:00");
            offsetMinutes = (hours * 60 + minutes) * (hold[0] == '-' ? -1 : 1);
            return true;

            static bool Pair(ReadOnlySpan<char> s, out int value)
            {
                value = 10 * (s[0] - '0') + (s[1] - '0');
                return char.IsAsciiDigit(s[0]) && char.IsAsciiDigit(s[1]);
            }
        }

        private bool Fail(ReadOnlySpan<char> value, string element, string message = "")
        {
            Error = Complain(_text, value.ToString(), element, message);
            return false;
        }
    }
}
