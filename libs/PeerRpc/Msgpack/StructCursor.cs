namespace Cluster.PeerRpc.Msgpack;

/// <summary>Walks the fields of a struct, whether it came as a map or as a list in the order of its declaration.</summary>
public struct StructCursor(string[] fields, int count, bool named)
{
    private int next;

    /// <summary>Goes to the next field, whose value must be read or skipped.</summary>
    /// <param name="reader">The reader that stands at the field.</param>
    /// <param name="field">Index of the field among those declared; -1 for an unknown one.</param>
    /// <returns>False when there are no more.</returns>
    public bool Next(ref MsgpackReader reader, out int field)
    {
        field = -1;
        if (next == count) return false;
        if (named)
        {
            var key = reader.Text();
            field = Array.IndexOf(fields, key);
        }
        else if (next < fields.Length)
        {
            field = next;
        }
        next++;
        return true;
    }
}
