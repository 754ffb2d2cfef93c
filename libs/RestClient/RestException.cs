using Cluster.Model;

namespace Cluster.RestClient;

/// <summary>A request that failed. Code 0: no answer was obtained; else what the peer answered.</summary>
public sealed class RestException : Exception
{
    public RestException(ApiError error)
        : base(error?.Message) => Error = error!;

    public RestException(ApiError error, Exception innerException)
        : base(error?.Message, innerException) => Error = error!;

    public RestException()
        : this(new ApiError(0, string.Empty))
    {
    }

    public RestException(string message)
        : this(new ApiError(0, message))
    {
    }

    public RestException(string message, Exception innerException)
        : this(new ApiError(0, message), innerException)
    {
    }

    public ApiError Error { get; }
}

/// <summary>Something about this request is wrong before it is sent; the text is for the user.</summary>
public sealed class RequestException : Exception
{
    public RequestException(string message)
        : base(message)
    {
    }

    public RequestException()
    {
    }

    public RequestException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
