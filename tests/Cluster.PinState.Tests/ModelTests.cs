using Cluster.Model;
using Cluster.PinState.Changes;
using Cluster.PinState.Records;
using FsCheck;
using FsCheck.Fluent;
using Ipld;

namespace Cluster.PinState.Tests;

/// <summary>Whatever is done to the store, its rows, indexes, totals and change log agree with a plain dictionary.</summary>
public sealed class ModelTests
{
    private enum Step
    {
        Put,
        Remove,
        Commit,
        Reopen,
        Replace,
    }

    [Fact]
    public void Rows_indexes_totals_and_changes_agree_with_a_dictionary()
    {
        var step = Gen.Frequency(
            (10, Gen.Constant(Step.Put)), (5, Gen.Constant(Step.Remove)), (4, Gen.Constant(Step.Commit)), (1, Gen.Constant(Step.Reopen)),
            (1, Gen.Constant(Step.Replace)));
        var operation = from s in step from cid in Gen.Choose(1, 8) from name in Gen.Choose(0, 2) from peer in Gen.Choose(0, 2)
                        select (Step: s, Cid: cid, Name: name, Peer: peer);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(30).WithEndSize(60), Prop.ForAll(operation.ArrayOf().ToArbitrary(), Agrees));
    }

    [Fact]
    public void A_record_is_read_back_as_it_was_written()
    {
        var text = Gen.Elements("", "a", "näme 漢字 😀", "x\0y", new string('z', 300));
        var peers = Gen.Choose(0, 3).Select(n => Enumerable.Range(0, n).Select(StoreFixture.Peer).ToArray());
        var pins = from name in text from allocations in peers from depth in Gen.Elements(-1, 0, 1, 2)
                   from min in Gen.Elements(-1, 0, 2, int.MaxValue, int.MinValue) from type in Gen.Elements(PinType.Data, PinType.Meta, PinType.Shard, PinType.Bad)
                   from time in Gen.Elements(0L, 1, -5, 1_700_000_000, 1L << 40) from key in text
                   from reference in Gen.Elements(0, 1) from expiry in Gen.Elements(0L, 5, 1L << 35)
                   select new Pin
                   {
                       Cid = StoreFixture.Cid(min),
                       Type = type,
                       MaxDepth = depth,
                       Allocations = allocations,
                       Reference = reference == 0 ? default : StoreFixture.Cid(2),
                       Timestamp = time == 1 ? GoTime.Zero : GoTime.FromUnix(time),
                       Options = new PinOptions
                       {
                           Name = name,
                           Mode = PinDepth.ToMode(depth),
                           Replication = new ReplicationFactors(min, 3),
                           ShardSize = (ulong)Math.Abs(time),
                           ExpireAt = expiry == 0 ? GoTime.Zero : GoTime.FromUnix(expiry),
                           Metadata = key.Length == 0 ? null : Metadata.From([new(key, name), new("k", "")]),
                           PinUpdate = reference == 0 ? StoreFixture.Cid(9) : default,
                           Origins = [],
                       },
                   };
        Check.One(Config.QuickThrowOnFailure, Prop.ForAll(pins.ToArbitrary(), pin =>
        {
            var bytes = PinRecord.ToBytes(pin);
            var again = PinRecord.Read(bytes);
            return PinRecord.ToBytes(again).AsSpan().SequenceEqual(bytes)
                && ModelJson.ToText(again, ModelJson.Write) == ModelJson.ToText(pin, ModelJson.Write);
        }));
    }

    private static bool Agrees((Step Step, int Cid, int Name, int Peer)[] operations)
    {
        using var fixture = new StoreFixture(new PinStoreOptions { MaxRemovals = 3 });
        var committed = new Dictionary<Cid, Pin>();
        var follower = new Dictionary<Cid, Pin>();
        ulong followed = 0;
        var epoch = fixture.Store.Totals.Epoch.ToArray();
        var transaction = fixture.Store.Begin();
        var model = new Dictionary<Cid, Pin>();
        foreach (var (step, number, name, peer) in operations)
        {
            switch (step)
            {
                case Step.Put:
                    var pin = StoreFixture.Pin(number, name == 0 ? "" : $"n{name}", [.. Enumerable.Range(1, peer).Select(StoreFixture.Peer)]);
                    transaction.Put(pin);
                    model[pin.Cid] = pin;
                    break;
                case Step.Remove:
                    if (transaction.Remove(StoreFixture.Cid(number)) != model.Remove(StoreFixture.Cid(number)))
                        return false;
                    break;
                default:
                    if (step != Step.Reopen || number % 2 == 0)
                    {
                        transaction.Commit(Cluster.Storage.Durability.Buffered);
                        committed = new(model);
                    }

                    transaction.Dispose();
                    model = new(committed);
                    if (step == Step.Reopen)
                        fixture.Reopen();
                    if (step == Step.Replace)
                    {
                        using var replacement = fixture.Store.BeginReplacement();
                        var only = StoreFixture.Pin(number);
                        replacement.Add(only);
                        replacement.Finish();
                        committed = new() { [only.Cid] = only };
                        model = new(committed);
                    }

                    Follow(fixture, follower, ref followed, ref epoch);
                    if (!Same(fixture, committed) || !follower.Keys.ToHashSet().SetEquals(committed.Keys))
                        return false;
                    transaction = fixture.Store.Begin();
                    break;
            }
        }

        transaction.Dispose();
        return true;
    }

    private static void Follow(StoreFixture fixture, Dictionary<Cid, Pin> follower, ref ulong followed, ref byte[] epoch)
    {
        var changes = new List<StateChange>();
        var totals = fixture.Store.Totals;
        if (!totals.Epoch.Span.SequenceEqual(epoch) || !fixture.Store.TryReadChanges(followed, 100_000, int.MaxValue, changes))
        {
            follower.Clear();
            foreach (var pin in fixture.List())
                follower[pin.Cid] = pin;
        }

        foreach (var change in changes)
        {
            var pin = PinRecord.Read(change.Record.Span);
            if (change.Kind == ChangeKind.Put)
                follower[pin.Cid] = pin;
            else
                follower.Remove(pin.Cid);
        }

        followed = totals.Sequence;
        epoch = totals.Epoch.ToArray();
    }

    private static bool Same(StoreFixture fixture, Dictionary<Cid, Pin> expected)
    {
        var listed = fixture.List();
        if (listed.Count != expected.Count || fixture.Store.Totals.Count != (ulong)expected.Count)
            return false;
        if (!listed.All(p => expected.TryGetValue(p.Cid, out var pin) && pin.IsEquivalentTo(p)))
            return false;
        using var snapshot = fixture.Store.CreateSnapshot();
        foreach (var name in new[] { "n1", "n2" })
        {
            if (!All(snapshot.Named(name)).SetEquals(expected.Values.Where(p => p.Options.Name == name).Select(p => p.Cid)))
                return false;
        }

        for (var peer = 1; peer <= 2; peer++)
        {
            var id = StoreFixture.Peer(peer);
            if (!All(snapshot.AllocatedTo(id)).SetEquals(expected.Values.Where(p => p.IsAllocatedTo(id)).Select(p => p.Cid)))
                return false;
            if (!fixture.List(new PinFilter { HeldBy = id }).Select(p => p.Cid).ToHashSet()
                .SetEquals(expected.Values.Where(p => !p.IsRemoteFor(id)).Select(p => p.Cid)))
                return false;
        }

        return All(snapshot.Created(0, long.MaxValue, false)).SetEquals(expected.Keys);
    }

    private static HashSet<Cid> All(IndexCursor cursor)
    {
        using (cursor)
        {
            var set = new HashSet<Cid>();
            while (cursor.MoveNext())
            {
                if (!set.Add(cursor.Cid))
                    throw new InvalidOperationException("twice in an index");
            }

            return set;
        }
    }
}
