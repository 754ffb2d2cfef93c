using System.Globalization;

namespace Grpc.Core.Logging;

/// <summary>Writes log lines to a text writer.</summary>
public class TextWriterLogger : ILogger
{
    private readonly Func<TextWriter> writer;
    private readonly string category;

    /// <summary>A logger to a writer.</summary>
    public TextWriterLogger(TextWriter textWriter)
        : this(() => textWriter) => ArgumentNullException.ThrowIfNull(textWriter);

    /// <summary>A logger to the writer that the function returns at each line.</summary>
    public TextWriterLogger(Func<TextWriter> textWriterProvider)
        : this(textWriterProvider, "")
    {
    }

    /// <summary>A logger for a type, to the writer that the function returns.</summary>
    protected TextWriterLogger(Func<TextWriter> textWriterProvider, Type? forType)
        : this(textWriterProvider, forType is null ? "" : forType.FullName + " ")
    {
    }

    private TextWriterLogger(Func<TextWriter> writer, string category)
    {
        ArgumentNullException.ThrowIfNull(writer);
        this.writer = writer;
        this.category = category;
    }

    /// <inheritdoc/>
    public virtual ILogger ForType<T>() => new TextWriterLogger(writer, typeof(T));

    /// <inheritdoc/>
    public void Debug(string message) => Write('D', message);

    /// <inheritdoc/>
    public void Debug(string format, params object[] formatArgs) => Debug(string.Format(CultureInfo.InvariantCulture, format, formatArgs));

    /// <inheritdoc/>
    public void Info(string message) => Write('I', message);

    /// <inheritdoc/>
    public void Info(string format, params object[] formatArgs) => Info(string.Format(CultureInfo.InvariantCulture, format, formatArgs));

    /// <inheritdoc/>
    public void Warning(string message) => Write('W', message);

    /// <inheritdoc/>
    public void Warning(string format, params object[] formatArgs) => Warning(string.Format(CultureInfo.InvariantCulture, format, formatArgs));

    /// <inheritdoc/>
    public void Warning(Exception exception, string message) => Warning($"{message} {exception}");

    /// <inheritdoc/>
    public void Error(string message) => Write('E', message);

    /// <inheritdoc/>
    public void Error(string format, params object[] formatArgs) => Error(string.Format(CultureInfo.InvariantCulture, format, formatArgs));

    /// <inheritdoc/>
    public void Error(Exception exception, string message) => Error($"{message} {exception}");

    private void Write(char severity, string message) =>
        writer().WriteLine(string.Create(CultureInfo.InvariantCulture, $"{severity}{DateTime.Now:MMdd HH:mm:ss.ffffff} {category}{message}"));
}

/// <summary>Writes log lines to standard error.</summary>
public class ConsoleLogger : TextWriterLogger
{
    /// <summary>A logger to standard error.</summary>
    public ConsoleLogger()
        : this(null)
    {
    }

    private ConsoleLogger(Type? forType)
        : base(static () => Console.Error, forType)
    {
    }

    /// <inheritdoc/>
    public override ILogger ForType<T>() => new ConsoleLogger(typeof(T));
}
