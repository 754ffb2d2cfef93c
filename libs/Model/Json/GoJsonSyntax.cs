using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Cluster.Model;

/// <summary>Parsing of JSON texts with the complaints of Go's <c>encoding/json</c>.</summary>
public static class GoJsonSyntax
{
    /// <summary>Depth that Go reads; deeper texts are refused.</summary>
    public const int MaxDepth = 10_000;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = MaxDepth };

    /// <summary>The parsed text. Dispose it.</summary>
    /// <exception cref="FormatException">With Go's words, for example <c>invalid character 'x' after top-level value</c>.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            // Bytes that are no UTF-8 become U+FFFD, as in Go; .NET would fail on them only when the text is asked for.
            return JsonDocument.Parse(Utf8.IsValid(json.Span) ? json : Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(json.Span)), Options);
        }
        catch (JsonException)
        {
            throw new FormatException(Complaint(json.Span) ?? "invalid JSON");
        }
    }

    /// <summary>What Go says about the text; null when it is valid.</summary>
    public static string? Complaint(ReadOnlySpan<byte> json)
    {
        var scan = new Scanner(json);
        return scan.Document();
    }

    private ref struct Scanner(ReadOnlySpan<byte> text)
    {
        private const string UnexpectedEnd = "unexpected end of JSON input";

        private readonly ReadOnlySpan<byte> _text = text;
        private int _at;

        public string? Document()
        {
            if (Value(0) is { } wrong)
                return wrong;
            Spaces();
            return _at < _text.Length ? Invalid("after top-level value") : null;
        }

        private string? Value(int depth)
        {
            if (depth > MaxDepth)
                return "exceeded max depth";
            Spaces();
            if (_at >= _text.Length)
                return UnexpectedEnd;
            switch (_text[_at])
            {
                case (byte)'{': return Object(depth);
                case (byte)'[': return Array(depth);
                case (byte)'"': return String();
                case (byte)'t': return Literal("true"u8);
                case (byte)'f': return Literal("false"u8);
                case (byte)'n': return Literal("null"u8);
                case (byte)'-' or (>= (byte)'0' and <= (byte)'9'): return Number();
                default: return Invalid("looking for beginning of value");
            }
        }

        private string? Object(int depth)
        {
            _at++;
            Spaces();
            if (Is('}'))
                return null;
            while (true)
            {
                Spaces();
                if (_at >= _text.Length)
                    return UnexpectedEnd;
                if (_text[_at] != '"')
                    return Invalid("looking for beginning of object key string");
                if (String() is { } badKey)
                    return badKey;
                Spaces();
                if (_at >= _text.Length)
                    return UnexpectedEnd;
                if (!Is(':'))
                    return Invalid("after object key");
                if (Value(depth + 1) is { } badValue)
                    return badValue;
                Spaces();
                if (_at >= _text.Length)
                    return UnexpectedEnd;
                if (Is('}'))
                    return null;
                if (!Is(','))
                    return Invalid("after object key:value pair");
            }
        }

        private string? Array(int depth)
        {
            _at++;
            Spaces();
            if (Is(']'))
                return null;
            while (true)
            {
                if (Value(depth + 1) is { } wrong)
                    return wrong;
                Spaces();
                if (_at >= _text.Length)
                    return UnexpectedEnd;
                if (Is(']'))
                    return null;
                if (!Is(','))
                    return Invalid("after array element");
            }
        }

        private string? String()
        {
            for (_at++; _at < _text.Length; _at++)
            {
                switch (_text[_at])
                {
                    case (byte)'"':
                        _at++;
                        return null;
                    case < 0x20:
                        return Invalid("in string literal");
                    case (byte)'\\':
                        if (++_at >= _text.Length)
                            return UnexpectedEnd;
                        if (_text[_at] == 'u')
                        {
                            for (var i = 0; i < 4; i++)
                            {
                                if (++_at >= _text.Length)
                                    return UnexpectedEnd;
                                if (!char.IsAsciiHexDigit((char)_text[_at]))
                                    return Invalid("in \\u hexadecimal character escape");
                            }
                        }
                        else if (!"\"\\/bfnrt"u8.Contains(_text[_at]))
                        {
                            return Invalid("in string escape code");
                        }

                        break;
                }
            }

            return UnexpectedEnd;
        }

        private string? Literal(ReadOnlySpan<byte> word)
        {
            for (var i = 0; i < word.Length; i++, _at++)
            {
                if (_at >= _text.Length)
                    return UnexpectedEnd;
                if (_text[_at] != word[i])
                    return Invalid($"in literal {Encoding.ASCII.GetString(word)} (expecting '{(char)word[i]}')");
            }

            return null;
        }

        private string? Number()
        {
            if (Is('-'))
            {
                if (_at >= _text.Length)
                    return UnexpectedEnd;
                if (!char.IsAsciiDigit((char)_text[_at]))
                    return Invalid("in numeric literal");
            }

            if (!Is('0'))
                Digits();
            if (Is('.'))
            {
                if (_at >= _text.Length)
                    return UnexpectedEnd;
                if (!Digits())
                    return Invalid("after decimal point in numeric literal");
            }

            if (Is('e') || Is('E'))
            {
                _ = Is('+') || Is('-');
                if (_at >= _text.Length)
                    return UnexpectedEnd;
                if (!Digits())
                    return Invalid("in exponent of numeric literal");
            }

            return null;
        }

        private bool Digits()
        {
            var start = _at;
            while (_at < _text.Length && char.IsAsciiDigit((char)_text[_at]))
                _at++;
            return _at > start;
        }

        private bool Is(char expected)
        {
            if (_at >= _text.Length || _text[_at] != expected)
                return false;
            _at++;
            return true;
        }

        private void Spaces()
        {
            while (_at < _text.Length && _text[_at] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
                _at++;
        }

        private readonly string Invalid(string context)
        {
            var octet = _text[_at];
            var quoted = octet switch
            {
                (byte)'\'' => "'\\''",
                (byte)'"' => "'\"'",
                // Go takes the byte for a code point and quotes that.
                _ => "'" + GoText.Quote([(char)octet])[1..^1].Replace("\\\"", "\"", StringComparison.Ordinal) + "'",
            };
            return $"invalid character {quoted} {context}";
        }
    }
}
