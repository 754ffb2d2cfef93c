// Writes numbered pairs of keys, one synced batch each, and prints a number only after its batch is durable. Tests kill it.
using System.Buffers.Binary;
using System.Globalization;
using Cluster.Storage;

using var database = Database.Open(args[0], new DatabaseOptions { Format = new FormatVersion("durability", 1) });
using var output = Console.OpenStandardOutput();
using var batch = new WriteBatch();
var key = new byte[9];
var value = new byte[8];
long next = 0;
key[0] = (byte)'k';
using (var cursor = database.CreateCursor(CursorRange.Prefix("k"u8)))
{
    if (cursor.SeekToLast())
        next = BinaryPrimitives.ReadInt64BigEndian(cursor.Key[1..]) + 1;
}

while (true)
{
    batch.Clear();
    BinaryPrimitives.WriteInt64BigEndian(key.AsSpan(1), next);
    BinaryPrimitives.WriteInt64BigEndian(value, next);
    key[0] = (byte)'k';
    batch.Put(key, value);
    key[0] = (byte)'t';
    batch.Put(key, value);
    database.Write(batch, Durability.Synced);
    output.Write(System.Text.Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{next}\n")));
    next++;
}
