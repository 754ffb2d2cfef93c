using System.Text.Json;

namespace Libp2p.Testing;

/// <summary>Recorded answers of the original: <c>tests/golden</c> of the repository, or the folder that GOLDEN names.</summary>
internal static class Golden
{
    public static string Folder { get; } = Environment.GetEnvironmentVariable("GOLDEN") is { Length: > 0 } given ? given : Find();

    public static JsonElement Read(string path) => JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, path))).RootElement;

    public static byte[] Hex(this JsonElement element, string name) => Convert.FromHexString(element.GetProperty(name).GetString()!);

    public static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);

    public static string? Text(this JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public static IEnumerable<JsonElement> List(this JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : [];

    /// <summary>Runs every case, then fails once with all that went wrong: one file of cases is one test.</summary>
    public static void ForEach(IEnumerable<JsonElement> cases, Func<JsonElement, string> name, Action<JsonElement> check)
    {
        var failures = new List<string>();
        int count = 0;
        foreach (var item in cases)
        {
            count++;
            try
            {
                check(item);
            }
            catch (Exception e)
            {
                failures.Add($"{name(item)}: {e.Message}");
            }
        }
        if (failures.Count > 0) throw new Xunit.Sdk.XunitException($"{failures.Count} of {count} cases:\n" + string.Join("\n", failures));
        Xunit.Assert.NotEqual(0, count);
    }

    private static string Find()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Cluster.Micro.sln"))) return Path.Combine(at.FullName, "tests", "golden");
        }
        throw new DirectoryNotFoundException("The tests run outside of the repository: set GOLDEN to the folder of the recorded data.");
    }
}
