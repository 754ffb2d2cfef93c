using Cluster.PeerRpc.Msgpack;

namespace Cluster.PeerRpc;

/// <summary>What a call asks for: the first value on its stream (peer-rpc §1).</summary>
/// <param name="Name">The service, such as <c>Cluster</c>.</param>
/// <param name="Method">The method, such as <c>ID</c>.</param>
public readonly record struct ServiceId(string Name, string Method)
{
    private static readonly string[] Fields = ["Name", "Method"];

    /// <summary>Writes it.</summary>
    public void Write(MsgpackWriter output)
    {
        output.MapHeader(2);
        output.Text("Name");
        output.Text(Name ?? "");
        output.Text("Method");
        output.Text(Method ?? "");
    }

    /// <summary>Reads one.</summary>
    /// <exception cref="MsgpackException">Not one.</exception>
    public static ServiceId Read(ref MsgpackReader reader)
    {
        string name = "", method = "";
        var fields = reader.Struct(Fields);
        while (fields.Next(ref reader, out var field))
        {
            if (field == 0) name = reader.Text();
            else if (field == 1) method = reader.Text();
            else reader.Skip();
        }
        return new ServiceId(name, method);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Name}.{Method}";
}

/// <summary>Who is to blame for a failed call (peer-rpc §1).</summary>
public enum CallErrorKind
{
    /// <summary>The method itself failed.</summary>
    Application = 0,

    /// <summary>Unknown service or method, undecodable argument.</summary>
    Server = 1,

    /// <summary>The caller's side; never sent.</summary>
    Client = 2,

    /// <summary>The callee does not trust the caller.</summary>
    Authorization = 3,
}

/// <summary>The header before each value of an answer.</summary>
/// <param name="Service">The call it answers; without names when the request could not be read.</param>
/// <param name="Error">Empty on success.</param>
/// <param name="Kind">Of the error.</param>
public readonly record struct ResponseHeader(ServiceId Service, string Error, CallErrorKind Kind)
{
    private static readonly string[] Fields = ["Service", "Error", "ErrType"];

    /// <summary>Writes it.</summary>
    public void Write(MsgpackWriter output)
    {
        var map = new MapWriter();
        if (!string.IsNullOrEmpty(Service.Name) || !string.IsNullOrEmpty(Service.Method)) Service.Write(map.Field("Service"));
        map.Text("Error", Error ?? "");
        map.Signed("ErrType", (long)Kind);
        map.Flush(output);
    }

    /// <summary>Reads one.</summary>
    /// <exception cref="MsgpackException">Not one.</exception>
    public static ResponseHeader Read(ref MsgpackReader reader)
    {
        var header = new ResponseHeader(new ServiceId("", ""), "", CallErrorKind.Application);
        var fields = reader.Struct(Fields);
        while (fields.Next(ref reader, out var field))
        {
            switch (field)
            {
                case 0: header = header with { Service = ServiceId.Read(ref reader) }; break;
                case 1: header = header with { Error = reader.Text() }; break;
                case 2: header = header with { Kind = (CallErrorKind)reader.Int32() }; break;
                default: reader.Skip(); break;
            }
        }
        return header;
    }
}
