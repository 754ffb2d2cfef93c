using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Cluster.Hosting.Logging;

/// <summary>How lines look.</summary>
public enum LogFormat
{
    /// <summary>Fields between tabs.</summary>
    Plain,

    /// <summary>Fields between tabs, the level in colour.</summary>
    Color,

    /// <summary>One JSON object a line.</summary>
    Json,
}

/// <summary>Writes log lines in the original's form (spec/observability.md 5.1).</summary>
public static class LogLine
{
    private static readonly JsonWriterOptions jsonOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes one line, its newline included.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="format">How it looks.</param>
    /// <param name="time">When; written with its offset.</param>
    /// <param name="level">How grave.</param>
    /// <param name="facility">Which component.</param>
    /// <param name="caller">Where in the code: <c>file:number</c>.</param>
    /// <param name="message">What; a newline at its end is kept, as access logs have it.</param>
    /// <param name="fields">Structured fields, appended as a JSON object; may be empty.</param>
    public static void Write(
        IBufferWriter<byte> output,
        LogFormat format,
        DateTimeOffset time,
        LogLevel level,
        string facility,
        string caller,
        string message,
        IReadOnlyList<KeyValuePair<string, string>> fields)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(fields);
        if (format == LogFormat.Json)
        {
            WriteJson(output, time, level, facility, caller, message, fields);
            return;
        }

        Text(output, Time(time));
        Tab(output);
        if (format == LogFormat.Color)
            Text(output, string.Create(CultureInfo.InvariantCulture, $"\u001b[{Colour(level)}m{Name(level)}\u001b[0m"));
        else
            Text(output, Name(level));
        Tab(output);
        Text(output, facility);
        Tab(output);
        Text(output, caller);
        Tab(output);
        Text(output, message);
        if (fields.Count > 0)
        {
            Tab(output);
            using var json = new Utf8JsonWriter(output, jsonOptions);
            json.WriteStartObject();
            foreach (var (key, value) in fields)
                json.WriteString(key, value);
            json.WriteEndObject();
        }

        Text(output, "\n");
    }

    /// <summary>The time as lines carry it: <c>2006-01-02T15:04:05.000Z0700</c> in the notation of Go.</summary>
    public static string Time(DateTimeOffset time)
    {
        var local = time.ToString("yyyy-MM-ddTHH:mm:ss.fff", CultureInfo.InvariantCulture);
        if (time.Offset == TimeSpan.Zero)
            return local + "Z";
        var offset = time.Offset.Duration();
        return string.Create(CultureInfo.InvariantCulture, $"{local}{(time.Offset < TimeSpan.Zero ? '-' : '+')}{offset.Hours:00}{offset.Minutes:00}");
    }

    private static string Name(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => "DEBUG",
        LogLevel.Information => "INFO",
        LogLevel.Warning => "WARN",
        LogLevel.Error => "ERROR",
        _ => "FATAL",
    };

    /// <summary>ANSI: magenta, blue, yellow, red.</summary>
    private static int Colour(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => 35,
        LogLevel.Information => 34,
        LogLevel.Warning => 33,
        _ => 31,
    };

    private static void WriteJson(
        IBufferWriter<byte> output,
        DateTimeOffset time,
        LogLevel level,
        string facility,
        string caller,
        string message,
        IReadOnlyList<KeyValuePair<string, string>> fields)
    {
        using (var json = new Utf8JsonWriter(output, jsonOptions))
        {
            json.WriteStartObject();
#pragma warning disable CA1308 // levels are in lower case in this form
            json.WriteString("level", Name(level).ToLowerInvariant());
#pragma warning restore CA1308
            json.WriteString("ts", Time(time));
            json.WriteString("logger", facility);
            json.WriteString("caller", caller);
            json.WriteString("msg", message);
            foreach (var (key, value) in fields)
                json.WriteString(key, value);
            json.WriteEndObject();
        }

        Text(output, "\n");
    }

    private static void Tab(IBufferWriter<byte> output) => Text(output, "\t");

    private static void Text(IBufferWriter<byte> output, string text) => Encoding.UTF8.GetBytes(text, output);
}
