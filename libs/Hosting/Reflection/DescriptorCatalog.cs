using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;

namespace Cluster.Hosting.Reflection;

/// <summary>The services that a process offers, and every file, message and symbol that they need.</summary>
public sealed class DescriptorCatalog
{
    private readonly Dictionary<string, FileDescriptor> files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FileDescriptor> symbols = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Type, int Number), FileDescriptor> extensions = [];
    private readonly SortedSet<string> services = new(StringComparer.Ordinal);

    /// <summary>The full names of the services, sorted.</summary>
    public IReadOnlyCollection<string> Services => services;

    /// <summary>Adds the service that a class implements.</summary>
    /// <param name="implementation">A class derived from a generated service base.</param>
    /// <returns>The full name of the service.</returns>
    /// <exception cref="ArgumentException">The class implements no generated service.</exception>
    public string Add(Type implementation)
    {
        ArgumentNullException.ThrowIfNull(implementation);
        var binding = (BindServiceMethodAttribute?)Attribute.GetCustomAttribute(implementation, typeof(BindServiceMethodAttribute), inherit: true);
        if (binding?.BindType.GetProperty("Descriptor")?.GetValue(null) is not ServiceDescriptor service)
            throw new ArgumentException($"{implementation} does not implement a generated gRPC service.", nameof(implementation));
        services.Add(service.FullName);
        Add(service.File);
        return service.FullName;
    }

    internal FileDescriptor? FileByName(string name) => files.GetValueOrDefault(name);

    internal FileDescriptor? FileBySymbol(string symbol) => symbols.GetValueOrDefault(symbol);

    internal FileDescriptor? FileByExtension(string type, int number) => extensions.GetValueOrDefault((type, number));

    internal IReadOnlyList<int>? ExtensionNumbers(string type) => symbols.ContainsKey(type)
        ? [.. extensions.Keys.Where(e => e.Type == type).Select(e => e.Number).Order()]
        : null;

    /// <summary>A file and what it imports, directly or not, each once; the file first.</summary>
    internal static IEnumerable<(string Name, ByteString Bytes)> Closure(FileDescriptor file)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal) { file.Name };
        var waiting = new Queue<FileDescriptor>([file]);
        while (waiting.TryDequeue(out var next))
        {
            yield return (next.Name, next.SerializedData);
            foreach (var import in next.Dependencies)
            {
                if (seen.Add(import.Name))
                    waiting.Enqueue(import);
            }
        }
    }

    private void Add(FileDescriptor file)
    {
        if (!files.TryAdd(file.Name, file))
            return;
        foreach (var service in file.Services)
        {
            symbols[service.FullName] = file;
            foreach (var method in service.Methods)
                symbols[method.FullName] = file;
        }

        foreach (var message in file.MessageTypes)
            Add(message, file);
        foreach (var @enum in file.EnumTypes)
            Add(@enum, file);
        foreach (var extension in file.Extensions.UnorderedExtensions)
            Add(extension, file);
        foreach (var import in file.Dependencies)
            Add(import);
    }

    private void Add(MessageDescriptor message, FileDescriptor file)
    {
        symbols[message.FullName] = file;
        foreach (var field in message.Fields.InDeclarationOrder())
            symbols[field.FullName] = file;
        foreach (var nested in message.NestedTypes)
            Add(nested, file);
        foreach (var @enum in message.EnumTypes)
            Add(@enum, file);
        foreach (var extension in message.Extensions.UnorderedExtensions)
            Add(extension, file);
    }

    private void Add(EnumDescriptor @enum, FileDescriptor file)
    {
        symbols[@enum.FullName] = file;
        foreach (var value in @enum.Values)
            symbols[value.FullName] = file;
    }

    private void Add(FieldDescriptor extension, FileDescriptor file)
    {
        symbols[extension.FullName] = file;
        extensions[(extension.ExtendeeType.FullName, extension.FieldNumber)] = file;
    }
}
