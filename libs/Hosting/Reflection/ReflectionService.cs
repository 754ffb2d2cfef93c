using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Reflection.V1;

namespace Cluster.Hosting.Reflection;

/// <summary>The standard reflection service over a <see cref="DescriptorCatalog"/>.</summary>
internal sealed class ReflectionService(DescriptorCatalog catalog) : ServerReflection.ServerReflectionBase
{
    public override async Task ServerReflectionInfo(
        IAsyncStreamReader<ServerReflectionRequest> requestStream,
        IServerStreamWriter<ServerReflectionResponse> responseStream,
        ServerCallContext context)
    {
        var sent = new HashSet<string>(StringComparer.Ordinal);
        while (await requestStream.MoveNext(context.CancellationToken))
        {
            var request = requestStream.Current;
            var response = Answer(request, sent);
            response.ValidHost = request.Host;
            response.OriginalRequest = request;
            await responseStream.WriteAsync(response, context.CancellationToken);
        }
    }

    private ServerReflectionResponse Answer(ServerReflectionRequest request, HashSet<string> sent)
    {
        switch (request.MessageRequestCase)
        {
            case ServerReflectionRequest.MessageRequestOneofCase.ListServices:
                var list = new ListServiceResponse();
                list.Service.AddRange(catalog.Services.Select(static name => new ServiceResponse { Name = name }));
                return new ServerReflectionResponse { ListServicesResponse = list };
            case ServerReflectionRequest.MessageRequestOneofCase.FileByFilename:
                return File(catalog.FileByName(request.FileByFilename), $"file {request.FileByFilename}", sent);
            case ServerReflectionRequest.MessageRequestOneofCase.FileContainingSymbol:
                return File(catalog.FileBySymbol(request.FileContainingSymbol), $"symbol {request.FileContainingSymbol}", sent);
            case ServerReflectionRequest.MessageRequestOneofCase.FileContainingExtension:
                var extension = request.FileContainingExtension;
                return File(
                    catalog.FileByExtension(extension.ContainingType, extension.ExtensionNumber),
                    $"extension {extension.ExtensionNumber} of {extension.ContainingType}",
                    sent);
            case ServerReflectionRequest.MessageRequestOneofCase.AllExtensionNumbersOfType:
                var type = request.AllExtensionNumbersOfType;
                if (catalog.ExtensionNumbers(type) is not { } numbers)
                    return NotFound($"type {type}");
                var answer = new ExtensionNumberResponse { BaseTypeName = type };
                answer.ExtensionNumber.AddRange(numbers);
                return new ServerReflectionResponse { AllExtensionNumbersResponse = answer };
            default:
                return Error(StatusCode.InvalidArgument, "the request asks nothing");
        }
    }

    private static ServerReflectionResponse File(FileDescriptor? file, string what, HashSet<string> sent)
    {
        if (file is null)
            return NotFound(what);
        var response = new FileDescriptorResponse();
        foreach (var (name, bytes) in DescriptorCatalog.Closure(file))
        {
            // What was asked for is sent again; imports only once a stream.
            if (sent.Add(name) || name == file.Name)
                response.FileDescriptorProto.Add(bytes);
        }

        return new ServerReflectionResponse { FileDescriptorResponse = response };
    }

    private static ServerReflectionResponse NotFound(string what) => Error(StatusCode.NotFound, what + " not found");

    private static ServerReflectionResponse Error(StatusCode code, string message) =>
        new() { ErrorResponse = new ErrorResponse { ErrorCode = (int)code, ErrorMessage = message } };
}
