#include <memory>
#include <string>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>

#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/memory/memory_connection.hpp>
#include <hubbub/transport/one_of.hpp>
#include <hubbub/transport/tcp/asio_loop.hpp>
#include <hubbub/transport/tcp/tcp_acceptor.hpp>
#include <hubbub/transport/tcp/tcp_connection.hpp>

#include "tests/unit/hub/memory_world.hpp"

using namespace memory_world;

namespace {

struct Room : NoopHandler {
    void on_open(auto& session) { session.subscribe("room"); }
    void on_message(auto& session, MessageView message) { session.publish("room", message); }
};

}  // namespace

TEST_CASE("One hub has sockets and memory, with one topic space") {
    using Both = OneOf<TcpConnection, MemoryConnection>;
    static_assert(ByteConnection<Both>);
    asio::io_context context{1};
    Hub<Both> hub{context, Room{}};
    TcpAcceptor acceptor{Endpoint{"127.0.0.1:0"}};
    acceptor.serve(hub.driver(0).first(), [&hub](TcpSocket socket) { hub.adopt(std::move(socket)); });

    MemorySocket in_memory;
    auto wire = in_memory.wire;
    wire->to_server = request;
    hub.adopt(Both::Socket(std::in_place_index<1>, std::move(in_memory)));
    ShardLoop& loop = hub.shard_loop(0);
    auto const go_on = [&] {
        context.run_for(std::chrono::milliseconds(1));
        context.restart();
        loop.turn([&] {
            if (auto* endpoint = hub.driver(0).second().find(*wire)) endpoint->deliver(1000);
        });
    };
    while (wire->received.empty()) go_on();  // it is a member before anybody speaks

    asio::io_context client_context;
    asio::ip::tcp::socket client(client_context);
    client.connect({asio::ip::make_address("127.0.0.1"), acceptor.port()});
    asio::write(client, asio::buffer(std::string(request) + ws::encode_frame(ws::ClientFrame::text("hello"))));

    client.non_blocking(true);
    std::string heard;
    for (int turns = 0; turns < 10'000 && (!heard.ends_with("\x81\x05hello") || !wire->received.ends_with("\x81\x05hello"));
         ++turns) {
        go_on();
        char buffer[512];
        asio::error_code nothing_yet;
        heard.append(buffer, client.read_some(asio::buffer(buffer), nothing_yet));
    }
    CHECK(heard.ends_with("\x81\x05hello"));
    CHECK(messages(*wire) == Messages{"hello"});
}
