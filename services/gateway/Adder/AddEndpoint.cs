using System.Runtime.CompilerServices;
using Cluster.Gateway.Http;
using Cluster.Gateway.Rest;
using Cluster.Model;
using Grpc.Core;
using Ipld;
using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Adder;

/// <summary><c>POST /add</c>: an upload becomes blocks while it arrives, the blocks go to the daemons of the allocated peers, the root is
/// pinned (<c>spec/rest-api.md</c> section 9).</summary>
internal sealed class AddEndpoint(PeerClient peer, ILogger logger)
{
    public IEnumerable<Route> Routes => [new("POST", "/add", AnswerAsync)];

    private async ValueTask AnswerAsync(Exchange exchange)
    {
        string? contentType = exchange.RequestHeaders.ContentType;
        if (!MultipartReader.TryGetBoundary(contentType, out string boundary, out string error) ||
            !AddParameters.TryParse(exchange.Query, GoTime.Now(peer.Time), out AddParameters parameters, out error))
        {
            await exchange.AnswerErrorAsync(400, error).ConfigureAwait(false);
            return;
        }

        using AddAnswer answer = AddAnswer.Create(exchange, parameters);
        await answer.BeginAsync().ConfigureAwait(false);
        string? failure = await AddAsync(exchange, parameters, boundary, answer).ConfigureAwait(false);
        if (failure is not null) GatewayLog.AddFailed(logger, failure);
        await answer.EndAsync(failure).ConfigureAwait(false);
    }

    /// <summary>Adds and pins; returns why not, when that is something to tell the client.</summary>
    private async ValueTask<string?> AddAsync(Exchange exchange, AddParameters parameters, string boundary, AddAnswer answer)
    {
        CancellationToken cancellation = exchange.Aborted;
        AddSession session = parameters.Shard ? new ShardedAdd(peer, parameters, answer, logger) : new SingleAdd(peer, parameters, logger);
        await using (session.ConfigureAwait(false))
        {
            try
            {
                using var reader = new MultipartReader(exchange.Body.AsStream(leaveOpen: true), boundary);
                var importer = new Importer(Options(parameters), session, new Outputs(session, answer));
                Cid root = await importer.RunAsync(PartsAsync(reader, cancellation), cancellation).ConfigureAwait(false);
                await session.FinishAsync(root, cancellation).ConfigureAwait(false);
                return null;
            }
            catch (Exception error) when (!cancellation.IsCancellationRequested && Explain(error) is not null)
            {
                return Explain(error);
            }
        }
    }

    /// <summary>The text for what is wrong with the upload or with the cluster; null for anything else.</summary>
    private static string? Explain(Exception error) => error switch
    {
        RpcException rpc => RestErrors.MessageFor(rpc),
        AddException or MultipartException or ImportException or CidFormatException or MultihashException or CarException or IpldDecodeException => error.Message,
        _ => null,
    };

    private static ImportOptions Options(AddParameters parameters) => new()
    {
        Trickle = parameters.Trickle,
        Chunker = parameters.Chunker,
        RawLeaves = parameters.RawLeaves,
        CidVersion = parameters.CidVersion,
        HashFunction = parameters.Hash,
        WrapWithDirectory = parameters.Wrap,
        Progress = parameters.Progress,
        NoCopy = parameters.NoCopy,
        Car = parameters.Car,
    };

    private static async IAsyncEnumerable<ImportPart> PartsAsync(MultipartReader reader, [EnumeratorCancellation] CancellationToken cancellation)
    {
        while (await reader.NextAsync(cancellation).ConfigureAwait(false) is { } part)
        {
            // The original crashes here (golden http, rest/add-crash).
            if (!part.HasDisposition) throw new MultipartException("multipart: part without Content-Disposition");
            ImportPartKind kind = part.Kind switch
            {
                PartKind.Directory => ImportPartKind.Directory,
                PartKind.Symlink => ImportPartKind.Symlink,
                _ => ImportPartKind.File,
            };
            yield return new ImportPart("/" + part.Path, kind, part.Body, part.AbsolutePath.Length > 0 ? part.AbsolutePath : null);
        }
    }

    /// <summary>Adds the peers that receive the blocks to the importer's objects; progress has none.</summary>
    private sealed class Outputs(AddSession session, AddAnswer answer) : IImportOutput
    {
        public ValueTask WriteAsync(ImportOutput output, CancellationToken cancellationToken) => answer.WriteAsync(
            new AddedOutput(output.Name, output.Cid, output.Bytes, output.Size, output.Cid.IsDefined ? session.Allocations : []), cancellationToken);
    }
}
