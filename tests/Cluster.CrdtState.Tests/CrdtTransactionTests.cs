using Cluster.Storage;

namespace Cluster.CrdtState.Tests;

public sealed class CrdtTransactionTests : IDisposable
{
    private readonly StateFolder _state = new();
    private readonly WriteBatch _batch = new();

    public void Dispose()
    {
        _batch.Dispose();
        _state.Dispose();
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void Reads_and_scans_see_what_was_written_before_and_in_the_transaction(int seed)
    {
        var random = new Random(seed);
        var model = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        for (var round = 0; round < 20; round++)
        {
            var transaction = new CrdtTransaction(_state.Database, _batch, _state.Store.CompanionKeys);
            for (var i = 0; i < 30; i++)
            {
                var key = $"{"ab"[random.Next(2)]}{random.Next(40):d2}";
                if (random.Next(3) == 0)
                {
                    transaction.Delete(Bytes(key));
                    model.Remove(key);
                }
                else
                {
                    var value = BitConverter.GetBytes(random.Next());
                    transaction.Put(Bytes(key), value);
                    model[key] = value;
                }
            }

            Compare(transaction, model);
            _state.Database.Write(_batch, Durability.Buffered);
            _batch.Clear();
            transaction.Written();
            Compare(transaction, model);
            var reader = new CrdtReader(_state.Store);
            Assert.Equal(model.Keys, reader.Scan(Array.Empty<byte>()).Select(e => System.Text.Encoding.UTF8.GetString(e.Key)));
        }
    }

    private static byte[] Bytes(string text) => System.Text.Encoding.UTF8.GetBytes(text);

    private static void Compare(CrdtTransaction transaction, SortedDictionary<string, byte[]> model)
    {
        foreach (var prefix in new[] { "", "a", "b1" })
        {
            Assert.Equal(
                model.Where(e => e.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(e => (e.Key, Convert.ToHexString(e.Value))),
                transaction.Scan(Bytes(prefix)).Select(e => (System.Text.Encoding.UTF8.GetString(e.Key), Convert.ToHexString(e.Value))));
        }

        for (var i = 0; i < 40; i++)
        {
            Assert.Equal(model.TryGetValue($"a{i:d2}", out var expected), transaction.TryGet(Bytes($"a{i:d2}"), out var value));
            Assert.Equal(expected, value);
        }
    }
}
