using System.Buffers;
using Cluster.Model;

namespace Cluster.Gateway.Json;

/// <summary>The error object of <c>spec/rest-api.md</c> section 5.1. Clients take the code from here, so it is never zero.</summary>
public static class ErrorJson
{
    /// <summary>Appends <c>{"code":…,"message":…}</c>.</summary>
    public static void Write(IBufferWriter<byte> output, int status, string message)
    {
        var json = new GoJsonWriter(output);
        json.Raw("{\"code\":"u8);
        json.Number((long)status);
        json.Raw(",\"message\":"u8);
        json.String(message);
        json.Raw((byte)'}');
        json.Flush();
    }
}
