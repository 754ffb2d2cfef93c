using FsCheck;
using FsCheck.Fluent;

namespace Cluster.Storage.Tests;

/// <summary>Any sequence of operations leaves the database as it leaves a sorted dictionary.</summary>
public sealed class ModelTests
{
    private static readonly Comparer<byte[]> ByteOrder = Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b));

    private enum Kind
    {
        Put,
        Delete,
        DeleteRange,
        Flush,
        Reopen,
    }

    [Fact]
    public void The_database_behaves_like_a_sorted_dictionary()
    {
        var key = Gen.Choose(1, 3).SelectMany(length => Gen.Choose(1, 255).Select(b => (byte)(b % 5 == 0 ? 0xFF : b % 7 + 1)).ArrayOf(length));
        var value = Gen.Choose(0, 255).Select(b => (byte)b).ArrayOf();
        var kind = Gen.Frequency(
            (12, Gen.Constant(Kind.Put)), (5, Gen.Constant(Kind.Delete)), (2, Gen.Constant(Kind.DeleteRange)),
            (1, Gen.Constant(Kind.Flush)), (1, Gen.Constant(Kind.Reopen)));
        var operation = from k in kind from a in key from b in key from v in value select new Operation(k, a, b, v);
        var operations = operation.ArrayOf().ToArbitrary();

        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(60).WithEndSize(80),
            Prop.ForAll(operations, Agrees));
    }

    private static bool Agrees(Operation[] operations)
    {
        using var folder = new TemporaryFolder();
        var options = new DatabaseOptions { Format = new FormatVersion("model", 1) };
        var database = Database.Open(folder.Database, options);
        try
        {
            var model = new SortedDictionary<byte[], byte[]>(ByteOrder);
            using var batch = new WriteBatch();
            foreach (var operation in operations)
            {
                switch (operation.Kind)
                {
                    case Kind.Put:
                        batch.Put(operation.A, operation.Value);
                        model[operation.A] = operation.Value;
                        break;
                    case Kind.Delete:
                        batch.Delete(operation.A);
                        model.Remove(operation.A);
                        break;
                    case Kind.DeleteRange:
                        var (from, to) = ByteOrder.Compare(operation.A, operation.B) < 0
                            ? (operation.A, operation.B)
                            : (operation.B, operation.A);
                        batch.DeleteRange(from, to);
                        foreach (var key in model.Keys.Where(k => ByteOrder.Compare(k, from) >= 0 && ByteOrder.Compare(k, to) < 0).ToList())
                            model.Remove(key);
                        break;
                    case Kind.Flush:
                        Commit(database, batch);
                        database.Flush();
                        break;
                    default:
                        Commit(database, batch);
                        database.Dispose();
                        database = Database.Open(folder.Database, options);
                        break;
                }
            }

            Commit(database, batch);
            return SameForward(database, model) && SameBackward(database, model) && SameLookups(database, model, operations);
        }
        finally
        {
            database.Dispose();
        }
    }

    private static void Commit(Database database, WriteBatch batch)
    {
        database.Write(batch, Durability.Buffered);
        batch.Clear();
    }

    private static bool SameForward(Database database, SortedDictionary<byte[], byte[]> model)
    {
        using var cursor = database.CreateCursor(CursorRange.From([1]));
        foreach (var (key, value) in model)
        {
            if (!cursor.MoveNext() || !cursor.Key.SequenceEqual(key) || !cursor.Value.SequenceEqual(value))
                return false;
        }

        return !cursor.MoveNext();
    }

    private static bool SameBackward(Database database, SortedDictionary<byte[], byte[]> model)
    {
        using var cursor = database.CreateCursor(CursorRange.From([1]));
        foreach (var (key, value) in model.Reverse())
        {
            if (!cursor.MovePrevious() || !cursor.Key.SequenceEqual(key) || !cursor.Value.SequenceEqual(value))
                return false;
        }

        return !cursor.MovePrevious();
    }

    private static bool SameLookups(Database database, SortedDictionary<byte[], byte[]> model, Operation[] operations)
    {
        foreach (var operation in operations)
        {
            var found = database.GetBytes(operation.A);
            if (model.TryGetValue(operation.A, out var expected) ? found is null || !found.SequenceEqual(expected) : found is not null)
                return false;
            var prefix = operation.A[..1];
            using var cursor = database.CreateCursor(CursorRange.Prefix(prefix));
            var count = 0;
            while (cursor.MoveNext())
                count++;
            if (count != model.Keys.Count(k => k[0] == prefix[0]))
                return false;
        }

        return true;
    }

    private sealed record Operation(Kind Kind, byte[] A, byte[] B, byte[] Value);
}
