using System.Buffers.Binary;

namespace Cluster.Consensus.Rpc;

/// <summary>Sorted runs of statuses in a temporary file that goes with its handle, and their merge.</summary>
internal sealed class SpilledRuns : IDisposable
{
    private const int WriteBuffer = 128 << 10;

    private readonly List<(long From, long To)> _runs = [];
    private FileStream? _file;

    /// <summary>Runs in the file.</summary>
    internal int Count => _runs.Count;

    public void Dispose() => _file?.Dispose();

    /// <summary>Writes a run, sorted.</summary>
    internal async ValueTask AddAsync(StatusRun run, CancellationToken cancellationToken)
    {
        _file ??= new FileStream(
            Path.Combine(Path.GetTempPath(), $"ipfs-cluster-status-{Guid.NewGuid():n}"),
            new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                BufferSize = 0,
                Options = FileOptions.DeleteOnClose | FileOptions.Asynchronous,
                UnixCreateMode = OperatingSystem.IsWindows() ? null : UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        var from = _file.Position;
        var buffer = new byte[WriteBuffer];
        var length = 0;
        foreach (var item in run.Sorted())
        {
            if (length + 4 + item.Length > buffer.Length)
            {
                await _file.WriteAsync(buffer.AsMemory(0, length), cancellationToken);
                length = 0;
                if (4 + item.Length > buffer.Length)
                    buffer = new byte[4 + item.Length];
            }

            BinaryPrimitives.WriteInt32LittleEndian(buffer.AsSpan(length), item.Length);
            item.Span.CopyTo(buffer.AsSpan(length + 4));
            length += 4 + item.Length;
        }

        await _file.WriteAsync(buffer.AsMemory(0, length), cancellationToken);
        _runs.Add((from, _file.Position));
    }

    /// <summary>All runs and a last one, which is in memory still, as one list; of equal CIDs the one of the latest run.</summary>
    internal IEnumerable<ReadOnlyMemory<byte>> Merge(StatusRun last)
    {
        // The latest run comes first out of its equals: its priority is the lowest number.
        var waiting = new PriorityQueue<IEnumerator<ReadOnlyMemory<byte>>, (ReadOnlyMemory<byte> Cid, int Age)>(Comparer<(ReadOnlyMemory<byte> Cid, int Age)>.Create(
            static (a, b) => a.Cid.Span.SequenceCompareTo(b.Cid.Span) is var order and not 0 ? order : a.Age.CompareTo(b.Age)));
        var sources = new List<IEnumerator<ReadOnlyMemory<byte>>>();
        foreach (var source in _runs.Select(run => Read(run.From, run.To)).Append(last.Sorted()))
            sources.Add(source.GetEnumerator());
        try
        {
            for (var i = 0; i < sources.Count; i++)
            {
                if (sources[i].MoveNext())
                    waiting.Enqueue(sources[i], (StatusRun.CidOf(sources[i].Current), sources.Count - i));
            }

            ReadOnlyMemory<byte>? previous = null;
            while (waiting.TryDequeue(out var source, out var at))
            {
                if (previous is null || !previous.Value.Span.SequenceEqual(at.Cid.Span))
                    yield return source.Current;
                previous = at.Cid;
                if (source.MoveNext())
                    waiting.Enqueue(source, (StatusRun.CidOf(source.Current), at.Age));
            }
        }
        finally
        {
            foreach (var source in sources)
                source.Dispose();
        }
    }

    /// <summary>Reads a run a buffer at a time; an item stays valid when the next is read.</summary>
    private IEnumerable<ReadOnlyMemory<byte>> Read(long from, long to)
    {
        var buffer = Array.Empty<byte>();
        var next = 0;
        while (from < to || next < buffer.Length)
        {
            if (buffer.Length - next < 4 || buffer.Length - next < 4 + BinaryPrimitives.ReadInt32LittleEndian(buffer.AsSpan(next)))
            {
                var left = buffer.Length - next;
                var wanted = left < 4 ? WriteBuffer : Math.Max(WriteBuffer, 4 + BinaryPrimitives.ReadInt32LittleEndian(buffer.AsSpan(next)));
                var larger = new byte[left + (int)Math.Min(wanted, to - from)];
                buffer.AsSpan(next).CopyTo(larger);
                Fill(larger.AsSpan(left), from);
                from += larger.Length - left;
                buffer = larger;
                next = 0;
            }

            var length = BinaryPrimitives.ReadInt32LittleEndian(buffer.AsSpan(next));
            yield return buffer.AsMemory(next + 4, length);
            next += 4 + length;
        }
    }

    private void Fill(Span<byte> into, long at)
    {
        while (!into.IsEmpty)
        {
            var read = RandomAccess.Read(_file!.SafeFileHandle, into, at);
            if (read == 0)
                throw new EndOfStreamException("a temporary file of statuses has shrunk");
            into = into[read..];
            at += read;
        }
    }
}
