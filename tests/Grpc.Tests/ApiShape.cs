using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Compression;

namespace Grpc.Tests;

/// <summary>The API projects have every member that the compiled server and client refer to, under the same identity.</summary>
public sealed class ApiShape
{
    private static readonly Assembly[] api = [typeof(Status).Assembly, typeof(ICompressionProvider).Assembly];

    public static TheoryData<string> Users => new(
        typeof(GrpcChannel).Assembly.Location,
        typeof(AspNetCore.Server.GrpcServiceOptions).Assembly.Location);

    [Fact]
    public void The_assemblies_carry_the_identity_that_gRPC_binds_to()
    {
        foreach (var assembly in api)
        {
            var name = assembly.GetName();
            Assert.Equal(new Version(2, 0, 0, 0), name.Version);
            Assert.Equal("D754F35622E28BAD", Convert.ToHexString(name.GetPublicKeyToken()!));
            Assert.Equal(typeof(GrpcChannel).Assembly.GetName().GetPublicKey(), name.GetPublicKey());
        }
    }

    [Theory]
    [MemberData(nameof(Users))]
    public void No_referenced_member_is_missing(string path)
    {
        using var file = new PEReader(File.OpenRead(path));
        var reader = file.GetMetadataReader();
        var names = new SignatureNames();
        var user = reader.GetString(reader.GetAssemblyDefinition().Name);
        var missing = new List<string>();
        var looked = 0;
        foreach (var handle in reader.TypeReferences)
        {
            if (Referenced(names.Type(reader, handle)) is { } type && type.Type is null)
                missing.Add(type.Name);
        }

        foreach (var handle in reader.MemberReferences)
        {
            var member = reader.GetMemberReference(handle);
            if (names.Declaring(reader, member.Parent) is not { } declaring || Referenced(declaring) is not { Type: { } type })
                continue;
            looked++;
            var name = reader.GetString(member.Name);
            var wanted = member.GetKind() == MemberReferenceKind.Method
                ? Signature(member.DecodeMethodSignature(names, null))
                : member.DecodeFieldSignature(names, null);
            if (!Members(type, user).Any(m => m.Name == name && Signature(m) == wanted))
                missing.Add($"{type.FullName}::{name} {wanted}");
        }

        Assert.Empty(missing);
        Assert.True(looked > 20, "the check looked at no members");
    }

    /// <summary>Loading a type fails when a base member that it overrides or implements is not there.</summary>
    [Theory]
    [MemberData(nameof(Users))]
    public void Every_type_that_derives_from_the_API_loads(string path) =>
        Assert.NotEmpty(Assembly.Load(AssemblyName.GetAssemblyName(path)).GetTypes());

    private static (string Name, Type? Type)? Referenced(string qualified)
    {
        var assembly = api.FirstOrDefault(a => qualified.StartsWith($"[{a.GetName().Name}]", StringComparison.Ordinal));
        return assembly is null ? null : (qualified, assembly.GetType(qualified[(qualified.IndexOf(']', StringComparison.Ordinal) + 1)..]));
    }

    private static IEnumerable<MemberInfo> Members(Type type, string user)
    {
        var friend = type.Assembly.GetCustomAttributes<System.Runtime.CompilerServices.InternalsVisibleToAttribute>()
            .Any(a => a.AssemblyName.Split(',')[0] == user);
        bool Visible(bool isPublic, bool isFamily, bool isAssembly) => isPublic || isFamily || (friend && isAssembly);
        return type.GetMembers(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static)
            .Where(m => m switch
            {
                MethodBase b => Visible(b.IsPublic, b.IsFamily || b.IsFamilyOrAssembly, b.IsAssembly),
                FieldInfo f => Visible(f.IsPublic, f.IsFamily || f.IsFamilyOrAssembly, f.IsAssembly),
                _ => false,
            });
    }

    private static string Signature(MethodSignature<string> s) =>
        $"{(s.Header.IsInstance ? "" : "static ")}{s.ReturnType}`{s.GenericParameterCount}({string.Join(",", s.ParameterTypes)})";

    private static string Signature(MemberInfo member) => member switch
    {
        MethodInfo m => $"{(m.IsStatic ? "static " : "")}{Name(m.ReturnType)}`{m.GetGenericArguments().Length}({Parameters(m)})",
        ConstructorInfo c => $"System.Void`0({Parameters(c)})",
        FieldInfo f => Name(f.FieldType),
        _ => "",
    };

    private static string Parameters(MethodBase method) => string.Join(",", method.GetParameters().Select(p => Name(p.ParameterType)));

    private static string Name(Type type)
    {
        if (type.IsGenericMethodParameter)
            return "!!" + type.GenericParameterPosition;
        if (type.IsGenericTypeParameter)
            return "!" + type.GenericParameterPosition;
        if (type.IsArray)
            return Name(type.GetElementType()!) + "[]";
        if (type.IsByRef)
            return Name(type.GetElementType()!) + "&";
        return type.IsGenericType
            ? $"{type.GetGenericTypeDefinition().FullName}<{string.Join(",", type.GetGenericArguments().Select(Name))}>"
            : type.FullName!;
    }

    /// <summary>Names types in signatures as <see cref="Name"/> does, and in references with their assembly.</summary>
    private sealed class SignatureNames : ISignatureTypeProvider<string, object?>
    {
        public string Type(MetadataReader reader, TypeReferenceHandle handle)
        {
            var type = reader.GetTypeReference(handle);
            return type.ResolutionScope.Kind switch
            {
                HandleKind.AssemblyReference =>
                    $"[{reader.GetString(reader.GetAssemblyReference((AssemblyReferenceHandle)type.ResolutionScope).Name)}]{GetTypeFromReference(reader, handle, 0)}",
                HandleKind.TypeReference => $"{Type(reader, (TypeReferenceHandle)type.ResolutionScope)}+{reader.GetString(type.Name)}",
                _ => "",
            };
        }

        public string? Declaring(MetadataReader reader, EntityHandle parent)
        {
            if (parent.Kind == HandleKind.TypeReference)
                return Type(reader, (TypeReferenceHandle)parent);
            if (parent.Kind != HandleKind.TypeSpecification)
                return null;
            var blob = reader.GetBlobReader(reader.GetTypeSpecification((TypeSpecificationHandle)parent).Signature);
            if (blob.ReadSignatureTypeCode() != SignatureTypeCode.GenericTypeInstance)
                return null;
            blob.ReadByte();
            return Declaring(reader, blob.ReadTypeHandle());
        }

        public string GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind)
        {
            var type = reader.GetTypeReference(handle);
            var name = reader.GetString(type.Name);
            if (type.ResolutionScope.Kind == HandleKind.TypeReference)
                return $"{GetTypeFromReference(reader, (TypeReferenceHandle)type.ResolutionScope, 0)}+{name}";
            return type.Namespace.IsNil ? name : $"{reader.GetString(type.Namespace)}.{name}";
        }

        public string GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind)
        {
            var type = reader.GetTypeDefinition(handle);
            return $"{reader.GetString(type.Namespace)}.{reader.GetString(type.Name)}";
        }

        public string GetTypeFromSpecification(MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) =>
            reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);

        public string GetPrimitiveType(PrimitiveTypeCode typeCode) => "System." + typeCode;

        public string GetSZArrayType(string elementType) => elementType + "[]";

        public string GetArrayType(string elementType, ArrayShape shape) => elementType + "[*]";

        public string GetByReferenceType(string elementType) => elementType + "&";

        public string GetPointerType(string elementType) => elementType + "*";

        public string GetFunctionPointerType(MethodSignature<string> signature) => "method*";

        public string GetGenericInstantiation(string genericType, ImmutableArray<string> typeArguments) => $"{genericType}<{string.Join(",", typeArguments)}>";

        public string GetGenericMethodParameter(object? genericContext, int index) => "!!" + index;

        public string GetGenericTypeParameter(object? genericContext, int index) => "!" + index;

        public string GetModifiedType(string modifier, string unmodifiedType, bool isRequired) => unmodifiedType;

        public string GetPinnedType(string elementType) => elementType;
    }
}
