using Cluster.Gateway.Http;
using Grpc.Core;

namespace Cluster.Gateway.Rest;

/// <summary>Answers with a stream of JSON documents, one a line (<c>spec/rest-api.md</c> section 5.2). The head waits for the first
/// item: without any it is a 204, with an error a 500. Errors that come later stand in the trailer.</summary>
internal static class NdjsonAnswer
{
    private const string StreamError = "X-Stream-Error";
    private const int MostFailures = 8;

    /// <summary>Writes the items of a message; returns how many. Late failures of single items are added to the list.</summary>
    public delegate int ItemWriter<in T>(ByteBuffer to, T message, List<string> failures);

    public static async ValueTask AnswerAsync<T>(
        Exchange exchange, PeerClient peer, string name, Func<CallOptions, AsyncServerStreamingCall<T>> open, ItemWriter<T> write)
    {
        exchange.ResponseHeaders["Trailer"] = StreamError;
        AsyncServerStreamingCall<T>? call = null;
        ChunkedBody? body = null;
        var failures = new List<string>();
        try
        {
            bool more;
            try
            {
                (call, more) = await peer.OpenAsync(name, open, PeerClient.ListDeadline, exchange.Aborted).ConfigureAwait(false);
                while (more)
                {
                    body ??= exchange.PrepareStream();
                    write(body.Buffer, call.ResponseStream.Current, failures);
                    Task<bool> next = call.ResponseStream.MoveNext(exchange.Aborted);
                    if (body.HasPending)
                    {
                        // The first documents leave at once, the others when enough have gathered or the next are not there yet.
                        if (body.Sent == 0) exchange.StartStream();
                        if (body.Sent == 0 || body.WantsFlush || !next.IsCompleted) await FlushOrForgetAsync(body, next, exchange.Aborted).ConfigureAwait(false);
                    }

                    more = await next.ConfigureAwait(false);
                }
            }
            catch (RpcException error) when (!exchange.Aborted.IsCancellationRequested)
            {
                if (body is null or { Sent: 0, HasPending: false })
                {
                    await exchange.AnswerErrorAsync(500, RestErrors.MessageFor(error)).ConfigureAwait(false);
                    return;
                }

                failures.Add(RestErrors.MessageFor(error));
            }

            if (body is null or { Sent: 0, HasPending: false })
            {
                if (failures.Count > 0) await exchange.AnswerErrorAsync(500, Told(failures)).ConfigureAwait(false);
                else exchange.AnswerEmpty(204, json: true);
                return;
            }

            await body.EndAsync(Trailers(failures), exchange.Aborted).ConfigureAwait(false);
            exchange.Count(body.Sent);
        }
        finally
        {
            body?.Dispose();
            call?.Dispose();
        }
    }

    private static KeyValuePair<string, string>[] Trailers(List<string> failures) => failures.Count == 0
        ? [new(StreamError, "")]
        : [new(StreamError, ""), new(StreamError, Told(failures))];

    /// <summary>Clients limit the length of a header, so that not every failure can be told.</summary>
    private static string Told(List<string> failures) => failures.Count <= MostFailures
        ? string.Join("; ", failures)
        : $"{string.Join("; ", failures.Take(MostFailures))}; and {failures.Count - MostFailures} more";

    /// <summary>When the client has gone, the message under way is nobody's any more, but its failure must not go unseen.</summary>
    private static async ValueTask FlushOrForgetAsync(ChunkedBody body, Task<bool> next, CancellationToken cancellation)
    {
        try
        {
            await body.FlushAsync(cancellation).ConfigureAwait(false);
        }
        catch
        {
            _ = next.ContinueWith(static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            throw;
        }
    }
}
