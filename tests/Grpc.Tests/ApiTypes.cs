using System.Text;
using Grpc.Core;
using Grpc.Core.Utils;

namespace Grpc.Tests;

/// <summary>The values of the API by themselves.</summary>
public sealed class ApiTypes
{
    [Fact]
    public void Metadata_keys_are_lower_case_and_checked()
    {
        Assert.Equal("ab-c_d.1", new Metadata.Entry("Ab-C_d.1", "v").Key);
        foreach (var bad in new[] { "", "a b", "ä", "a:b", "a\n" })
            Assert.Throws<ArgumentException>(() => new Metadata.Entry(bad, "v"));
        Assert.Throws<ArgumentException>(() => new Metadata.Entry("key", [1]));
        Assert.Throws<ArgumentException>(() => new Metadata.Entry("key-bin", "text"));
    }

    [Fact]
    public void Metadata_keeps_order_and_answers_the_last_of_a_key()
    {
        var metadata = new Metadata { { "a", "1" }, { "b-bin", [2] }, { "A", "3" } };
        Assert.Equal("3", metadata.GetValue("a"));
        Assert.Equal(["1", "3"], metadata.GetAll("a").Select(e => e.Value));
        Assert.Equal(new byte[] { 2 }, metadata.GetValueBytes("b-bin"));
        Assert.Null(metadata.Get("c"));
        Assert.Equal(3, metadata.Count);
        metadata.RemoveAt(0);
        metadata.Insert(0, new Metadata.Entry("z", "0"));
        Assert.Equal(["z", "b-bin", "a"], metadata.Select(e => e.Key));
        Assert.Throws<InvalidOperationException>(() => Metadata.Empty.Add("a", "b"));
    }

    [Fact]
    public void Binary_values_are_copied_in_and_out()
    {
        byte[] bytes = [1, 2];
        var entry = new Metadata.Entry("k-bin", bytes);
        bytes[0] = 9;
        entry.ValueBytes[1] = 9;
        Assert.Equal(new byte[] { 1, 2 }, entry.ValueBytes);
    }

    [Fact]
    public void A_status_prints_its_parts()
    {
        Assert.Equal("Status(StatusCode=\"NotFound\", Detail=\"no\")", new Status(StatusCode.NotFound, "no").ToString());
        Assert.Equal(
            "Status(StatusCode=\"Internal\", Detail=\"x\", DebugException=\"System.IO.IOException: y\")",
            new Status(StatusCode.Internal, "x", new IOException("y")).ToString());
    }

    [Fact]
    public void An_exception_carries_status_trailers_and_cause()
    {
        var cause = new IOException("y");
        var error = new RpcException(new Status(StatusCode.Internal, "x", cause), new Metadata { { "k", "v" } }, "message");
        Assert.Same(cause, error.InnerException);
        Assert.Equal("message", error.Message);
        Assert.Equal("v", error.Trailers.GetValue("k"));
        Assert.Empty(new RpcException(Status.DefaultCancelled).Trailers);
    }

    [Fact]
    public void Call_options_change_one_thing_at_a_time()
    {
        var deadline = DateTime.UtcNow;
        var options = new CallOptions().WithDeadline(deadline).WithHeaders([]).WithWaitForReady().WithWriteOptions(new WriteOptions(WriteFlags.NoCompress));
        Assert.Equal(deadline, options.Deadline);
        Assert.True(options.IsWaitForReady);
        Assert.Equal(WriteFlags.NoCompress, options.WriteOptions!.Flags);
        Assert.False(options.WithWaitForReady(false).IsWaitForReady);
        Assert.NotNull(options.WithWaitForReady(false).Headers);
    }

    [Fact]
    public void Marshallers_of_both_kinds_serve_both_ways()
    {
        var arrays = Marshallers.StringMarshaller;
        Assert.Equal("ä", arrays.Deserializer(arrays.Serializer("ä")));
        var contexts = Marshallers.Create<string>(
            (value, context) =>
            {
                Encoding.UTF8.GetBytes(value, context.GetBufferWriter());
                context.Complete();
            },
            context => Encoding.UTF8.GetString(context.PayloadAsReadOnlySequence()));
        Assert.Equal("ä", contexts.Deserializer(contexts.Serializer("ä")));
        Assert.Throws<InvalidOperationException>(() => Marshallers.Create<string>((_, _) => { }, _ => "").Serializer(""));
    }

    [Fact]
    public void A_service_definition_refuses_a_method_twice()
    {
        var method = new Method<string, string>(MethodType.Unary, "s", "m", Marshallers.StringMarshaller, Marshallers.StringMarshaller);
        Assert.Equal("/s/m", method.FullName);
        var builder = ServerServiceDefinition.CreateBuilder().AddMethod(method, (request, _) => Task.FromResult(request));
        Assert.Throws<ArgumentException>(() => builder.AddMethod(method, (request, _) => Task.FromResult(request)));
        Assert.NotNull(builder.Build());
    }

    [Fact]
    public void A_client_without_a_channel_says_so() =>
        Assert.Throws<NotImplementedException>(() => new Mock().Call());

    [Fact]
    public void Auth_properties_are_found_by_name()
    {
        var property = AuthProperty.Create("cn", Encoding.UTF8.GetBytes("peer"));
        var context = new AuthContext("cn", new() { ["cn"] = [property] });
        Assert.True(context.IsPeerAuthenticated);
        Assert.Equal("peer", context.PeerIdentity.Single().Value);
        Assert.Empty(context.FindPropertiesByName("other"));
        Assert.False(new AuthContext(null, []).IsPeerAuthenticated);
    }

    [Fact]
    public void Preconditions_throw_the_exception_of_their_kind()
    {
        Assert.Throws<ArgumentException>(() => GrpcPreconditions.CheckArgument(false, "m"));
        Assert.Throws<ArgumentNullException>(() => GrpcPreconditions.CheckNotNull<string?>(null, "p"));
        Assert.Throws<InvalidOperationException>(() => GrpcPreconditions.CheckState(false));
    }

    private sealed class Mock : ClientBase<Mock>
    {
        public Mock()
        {
        }

        private Mock(ClientBaseConfiguration configuration)
            : base(configuration)
        {
        }

        public void Call() => CallInvoker.BlockingUnaryCall(
            new Method<string, string>(MethodType.Unary, "s", "m", Marshallers.StringMarshaller, Marshallers.StringMarshaller), null, default, "");

        protected override Mock NewInstance(ClientBaseConfiguration configuration) => new(configuration);
    }
}
