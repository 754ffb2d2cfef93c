using System.Reflection;
using System.Text;

namespace Cluster.Service.Commands;

/// <summary>Long texts of the help, kept as files beside the code.</summary>
internal static class Texts
{
    /// <summary>Reads the text of a name.</summary>
    public static string Of(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)
            ?? throw new ArgumentException($"There is no text \"{name}\".", nameof(name));
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
