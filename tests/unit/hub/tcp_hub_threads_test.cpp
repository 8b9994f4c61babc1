#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>

#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/tcp/asio_loop.hpp>
#include <hubbub/transport/tcp/tcp_acceptor.hpp>
#include <hubbub/transport/tcp/tcp_connection.hpp>
#include <hubbub/ws/encoder.hpp>

#include "tests/support/catch.hpp"

using namespace hubbub;

namespace {

struct Room : NoopHandler {
    void on_open(auto& session) { session.subscribe("room"); }
    void on_message(auto& session, MessageView message) { session.publish("room", message); }
};

/// A blocking client: enough of one for short messages.
struct Client {
    explicit Client(std::uint16_t port) : socket(context) {
        socket.connect({asio::ip::make_address("127.0.0.1"), port});
        asio::write(socket, asio::buffer(std::string_view(
                                "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")));
        auto const head = asio::read_until(socket, asio::dynamic_buffer(in), "\r\n\r\n");
        in.erase(0, head);
    }
    void say(std::string_view text) { asio::write(socket, asio::buffer(ws::encode_frame(ws::ClientFrame::text(text)))); }
    std::string hear() {
        need(2);
        auto const length = static_cast<std::size_t>(in[1]);
        need(2 + length);
        std::string message = in.substr(2, length);
        in.erase(0, 2 + length);
        return message;
    }
    void need(std::size_t bytes) {
        if (in.size() < bytes) asio::read(socket, asio::dynamic_buffer(in), asio::transfer_at_least(bytes - in.size()));
    }

    asio::io_context context;
    asio::ip::tcp::socket socket;
    std::string in;
};

}  // namespace

TEST_CASE("Eight threads publish through four shards: every client hears all of each, in its order") {
    constexpr std::size_t shards = 4, publishers = 8, each = 200;
    std::vector<std::unique_ptr<asio::io_context>> contexts;
    std::vector<std::unique_ptr<AsioLoop>> loops;
    std::vector<ShardLoop*> pointers;
    for (std::size_t i = 0; i < shards; ++i) {
        contexts.push_back(std::make_unique<asio::io_context>(1));
        loops.push_back(std::make_unique<AsioLoop>(*contexts.back()));
        pointers.push_back(loops.back().get());
    }
    Hub<TcpConnection> hub{pointers, Room{}};
    TcpAcceptor acceptor{Endpoint{"127.0.0.1:0"}};
    acceptor.serve(hub.driver(0), [&hub](TcpSocket socket) { hub.adopt(std::move(socket)); });
    std::vector<std::thread> threads;
    for (auto& context : contexts)
        threads.emplace_back([&context = *context] {
            auto const work = asio::make_work_guard(context);
            context.run();
        });

    std::vector<std::unique_ptr<Client>> clients;
    for (std::size_t i = 0; i < 6; ++i) {
        clients.push_back(std::make_unique<Client>(acceptor.port()));
        std::string const mark = "ready " + std::to_string(i);
        clients.back()->say(mark);
        while (clients.back()->hear() != mark) {}
    }
    std::vector<std::thread> publishing;
    for (std::size_t p = 0; p < publishers; ++p)
        publishing.emplace_back([&hub, p] {
            for (std::size_t i = 0; i < each; ++i)
                hub.publish("room", Frame::text(std::to_string(p) + ":" + std::to_string(i)));
        });
    for (auto& thread : publishing) thread.join();

    for (auto& client : clients) {
        std::size_t next[publishers] = {};
        for (std::size_t heard = 0; heard < publishers * each;) {
            std::string const message = client->hear();
            if (message.starts_with("ready")) continue;
            auto const colon = message.find(':');
            std::size_t const p = std::stoul(message.substr(0, colon));
            REQUIRE(std::stoul(message.substr(colon + 1)) == next[p]++);
            ++heard;
        }
    }
    for (auto& context : contexts) context->stop();
    for (auto& thread : threads) thread.join();
    for (auto& loop : loops) loop->claim();
    std::uint64_t deliveries = 0, settled = 0;
    for (std::size_t i = 0; i < shards; ++i) {
        auto const sums = hub.snapshot(i);
        deliveries += sums.delivery.deliveries;
        settled += sums.delivery.written + sums.delivery.all_dropped() + sums.pending;
    }
    CHECK(deliveries == settled);
    CHECK(deliveries >= clients.size() * publishers * each);
}
