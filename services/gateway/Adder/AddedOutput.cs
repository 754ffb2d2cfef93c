using System.Buffers;
using Cluster.Gateway.Json;
using Cluster.Model;
using Google.Protobuf;
using Ipld;

namespace Cluster.Gateway.Adder;

/// <summary>One object of the answer to an add (<c>spec/rest-api.md</c> sections 6.4 and 9.5).</summary>
/// <param name="Name">Path below and with the name of the top-level entry; empty for the wrapper.</param>
/// <param name="Cid">Undefined for progress.</param>
/// <param name="Bytes">Progress so far, or bytes of a CAR's blocks.</param>
/// <param name="Size">Cumulative size of the DAG.</param>
/// <param name="Allocations">Peers that receive the blocks.</param>
public readonly record struct AddedOutput(string Name, Cid Cid, ulong Bytes, ulong Size, IReadOnlyList<ByteString> Allocations)
{
    /// <summary>Appends the JSON object, without a line end.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        var json = new GoJsonWriter(output);
        json.Raw("{\"name\":"u8);
        json.String(Name);
        json.Raw(",\"cid\":"u8);
        CidText.Write(ref json, Cid.Bytes);
        if (Bytes > 0)
        {
            json.Raw(",\"bytes\":"u8);
            json.Number(Bytes);
        }

        if (Size > 0)
        {
            json.Raw(",\"size\":"u8);
            json.Number(Size);
        }

        if (Allocations.Count > 0)
        {
            json.Raw(",\"allocations\":["u8);
            for (int i = 0; i < Allocations.Count; i++)
            {
                if (i > 0) json.Raw((byte)',');
                json.PlainString(PeerText.Of(Allocations[i]));
            }

            json.Raw((byte)']');
        }

        json.Raw((byte)'}');
        json.Flush();
    }
}

/// <summary>Takes the objects of an add as they come.</summary>
public interface IAddOutput
{
    /// <summary>Puts an object out; waits while the client is slower.</summary>
    ValueTask WriteAsync(AddedOutput added, CancellationToken cancellation);
}

/// <summary>An add that cannot go on, with the text that the client gets.</summary>
public sealed class AddException : Exception
{
    /// <summary>With the text.</summary>
    public AddException(string message)
        : base(message)
    {
    }

    /// <summary>Without a text.</summary>
    public AddException()
    {
    }

    /// <summary>With a cause.</summary>
    public AddException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
