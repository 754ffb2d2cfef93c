using System.Text;
using Ipld;

namespace Fuzz.IpldTargets;

/// <summary>CID text of every base; what is accepted reads back the same.</summary>
public static class CidTextTarget
{
    /// <summary>The target.</summary>
    public static void Fuzz(ReadOnlySpan<byte> input)
    {
        var text = Encoding.UTF8.GetString(input);
        if (Cid.TryParse(text, out var cid, out var error))
        {
            Check.That(Cid.Parse(cid.ToString()) == cid, "the canonical text of a CID reads back as another");
            Check.That(Cid.FromBytes(cid.Bytes) == cid, "the bytes of a CID read back as another");
            _ = cid.Multihash.Digest.Length + (int)cid.Codec;
        }
        else
        {
            Check.That(error.Length > 0, "a refusal without a reason");
        }
    }
}

/// <summary>CID bytes.</summary>
public static class CidBytesTarget
{
    /// <summary>The target.</summary>
    public static void Fuzz(ReadOnlySpan<byte> input)
    {
        if (Cid.TryRead(input, out var cid, out var length, out _))
        {
            Check.That(input[..length].SequenceEqual(cid.Bytes), "a CID differs from the bytes it was read from");
            Check.That(Cid.Parse(cid.ToString()) == cid, "the canonical text of a CID reads back as another");
        }
    }
}

/// <summary>dag-pb and, within, UnixFS.</summary>
public static class DagPbTarget
{
    /// <summary>The target.</summary>
    public static void Fuzz(ReadOnlySpan<byte> input)
    {
        try
        {
            var node = DagPbNode.Decode(input);
            var again = node.Encode();
            Check.That(DagPbNode.Decode(again).Encode().AsSpan().SequenceEqual(again), "the canonical form is not stable");
            if (node.Data is { } data)
            {
                UnixFsTarget.Fuzz(data.Span);
            }
        }
        catch (IpldDecodeException)
        {
            // Refused, as it should be.
        }
    }
}

/// <summary>UnixFS protobuf.</summary>
public static class UnixFsTarget
{
    /// <summary>The target.</summary>
    public static void Fuzz(ReadOnlySpan<byte> input)
    {
        try
        {
            var node = UnixFsNode.Decode(input);
            var again = node.Encode();
            Check.That(UnixFsNode.Decode(again).Encode().AsSpan().SequenceEqual(again), "the canonical form is not stable");
        }
        catch (IpldDecodeException)
        {
            // Refused, as it should be.
        }
    }
}

/// <summary>DAG-CBOR.</summary>
public static class DagCborTarget
{
    /// <summary>The target.</summary>
    public static void Fuzz(ReadOnlySpan<byte> input)
    {
        try
        {
            DagCbor.Links(input);
            var links = DagCbor.DecodeIndexedLinks(input);
            Check.That(DagCbor.DecodeIndexedLinks(DagCbor.EncodeIndexedLinks(links)).SequenceEqual(links), "a shard reads back as another");
        }
        catch (IpldDecodeException)
        {
            // Refused, as it should be.
        }
    }
}

/// <summary>CAR of both versions.</summary>
public static class CarTarget
{
    /// <summary>The target.</summary>
    public static void Fuzz(ReadOnlySpan<byte> input)
    {
        using var stream = new MemoryStream(input.ToArray());
        try
        {
            // A memory stream completes at once: nothing waits here.
            ReadAsync(stream).GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is CarException or CidFormatException)
        {
            // Refused, as it should be.
        }
    }

    private static async Task ReadAsync(MemoryStream stream)
    {
        using var car = await CarReader.OpenAsync(stream, acceptVersion2: true, CancellationToken.None).ConfigureAwait(false);
        while (await car.ReadBlockAsync(CancellationToken.None).ConfigureAwait(false) is not null)
        {
        }
    }
}

/// <summary>The chunker parameter: a name, then <c>\n</c>, then content.</summary>
public static class ChunkerTarget
{
    /// <summary>The target.</summary>
    public static void Fuzz(ReadOnlySpan<byte> input)
    {
        var end = input.IndexOf((byte)'\n');
        var name = Encoding.UTF8.GetString(end < 0 ? input : input[..end]);
        var content = end < 0 ? [] : input[(end + 1)..].ToArray();
        try
        {
            using var stream = new MemoryStream(content);
            using var chunker = Chunker.Create(name, stream);
            Check.That(JoinAsync(chunker).GetAwaiter().GetResult().AsSpan().SequenceEqual(content), "the pieces are not the content");
        }
        catch (ImportException)
        {
            // Refused, as it should be.
        }
    }

    private static async Task<byte[]> JoinAsync(Chunker chunker)
    {
        using var joined = new MemoryStream();
        while (await chunker.MoveNextAsync(CancellationToken.None).ConfigureAwait(false))
        {
            await joined.WriteAsync(chunker.Current).ConfigureAwait(false);
        }

        return joined.ToArray();
    }
}

/// <summary>File names of uploads.</summary>
public static class ImportPathTarget
{
    /// <summary>The target.</summary>
    public static void Fuzz(ReadOnlySpan<byte> input)
    {
        var path = ImportPath.FromFileName(Encoding.UTF8.GetString(input));
        Check.That(path.StartsWith('/') && !path.Split('/').Contains(".."), "an upload escapes its directory");
    }
}
