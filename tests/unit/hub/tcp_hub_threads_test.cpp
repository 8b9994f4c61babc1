#include <array>
#include <atomic>
#include <cstddef>
#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
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
#include "tests/support/tcp_hub.hpp"

using namespace hubbub;

namespace {

constexpr std::size_t shards = 4, publishers = 8;

struct Forum : NoopHandler {
    void on_open(auto& session) { session.subscribe("room"); }
    void on_message(auto& session, MessageView message) { session.publish("room", message); }
};

/// Counts hooks that come when the hub is over.
struct Watched : Forum {
    std::shared_ptr<std::atomic<bool>> is_over = std::make_shared<std::atomic<bool>>(false);
    std::shared_ptr<std::atomic<int>> late = std::make_shared<std::atomic<int>>(0);

    void on_message(auto& session, MessageView message) {
        note();
        Forum::on_message(session, message);
    }
    void on_close(auto&, CloseInfo const&) { note(); }
    void note() {
        if (*is_over) ++*late;
    }
};

struct Lossy : DefaultPolicy {
    using Overflow = DropNewest;
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

/// What a publisher says: who it is and which of its messages it is.
std::pair<std::size_t, std::size_t> parts_of(std::string const& message) {
    auto const colon = message.find(':');
    return {std::stoul(message.substr(0, colon)), std::stoul(message.substr(colon + 1))};
}

/// A loop for each shard, and four threads: each runs a loop of its own, or all run one io_context whose strands the loops are.
template <Threading threading>
struct Host {
    static constexpr bool has_strands = threading == Threading::several_threads;

    Host() {
        for (std::size_t i = 0; i < shards; ++i) {
            if (contexts.empty() || !has_strands) contexts.push_back(std::make_unique<asio::io_context>(has_strands ? 4 : 1));
            loops.push_back(std::make_unique<AsioLoop>(*contexts.back(), threading));
            pointers.push_back(loops.back().get());
        }
    }
    ~Host() { stop(); }

    void run() {
        for (std::size_t i = 0; i < shards; ++i)
            threads.emplace_back([&context = *contexts[has_strands ? 0 : i]] {
                auto const work = asio::make_work_guard(context);
                context.run();
            });
    }
    /// Returns when each loop has run what was posted to it before.
    void pass_through() {
        std::latch passed(shards);
        for (auto& loop : loops) loop->post([&passed] { passed.count_down(); });
        passed.wait();
    }
    /// Whoever calls has the loops from here on.
    void stop() {
        for (auto& context : contexts) context->stop();
        for (auto& thread : threads) thread.join();
        threads.clear();
        for (auto& loop : loops) loop->claim();
    }

    std::vector<std::unique_ptr<asio::io_context>> contexts;
    std::vector<std::unique_ptr<AsioLoop>> loops;
    std::vector<ShardLoop*> pointers;
    std::vector<std::thread> threads;
};
using ThreadEach = Host<Threading::one_thread>;
using Strands = Host<Threading::several_threads>;

/// Clients that have heard themselves, so that they hear all that follows.
std::vector<std::unique_ptr<Client>> make_clients(std::size_t count, std::uint16_t port) {
    std::vector<std::unique_ptr<Client>> clients;
    for (std::size_t i = 0; i < count; ++i) {
        clients.push_back(std::make_unique<Client>(port));
        std::string const mark = "ready " + std::to_string(i);
        clients.back()->say(mark);
        while (clients.back()->hear() != mark) {}
    }
    return clients;
}

}  // namespace

TEMPLATE_TEST_CASE("Eight threads publish through four shards: every client hears all of each, in its order", "[tcp]",
                   ThreadEach, Strands) {
    constexpr std::size_t each = 200;
    TestType host;
    Hub<TcpConnection> hub{host.pointers, Forum{}};
    TcpAcceptor acceptor{Endpoint{"127.0.0.1:0"}};
    acceptor.serve(hub.driver(0), [&hub](TcpSocket socket) { hub.adopt(std::move(socket)); });
    host.run();
    auto clients = make_clients(6, acceptor.port());

    std::vector<std::thread> publishing;
    for (std::size_t p = 0; p < publishers; ++p)
        publishing.emplace_back([&hub, p] {
            for (std::size_t i = 0; i < each; ++i)
                hub.publish("room", Frame::text(std::to_string(p) + ":" + std::to_string(i)));
        });
    for (auto& thread : publishing) thread.join();

    for (auto& client : clients) {
        std::array<std::size_t, publishers> next{};
        for (std::size_t heard = 0; heard < publishers * each;) {
            std::string const message = client->hear();
            if (message.starts_with("ready")) continue;
            auto const [p, i] = parts_of(message);
            REQUIRE(i == next[p]++);
            ++heard;
        }
    }
    host.stop();
    std::uint64_t deliveries = 0, settled = 0;
    for (std::size_t i = 0; i < shards; ++i) {
        auto const sums = hub.snapshot(i);
        deliveries += sums.delivery.deliveries;
        settled += sums.delivery.written + sums.delivery.all_dropped() + sums.pending;
    }
    CHECK(deliveries == settled);
    CHECK(deliveries >= clients.size() * publishers * each);
}

TEMPLATE_TEST_CASE(
    "A hub may be destroyed by any thread while others publish: they are told, clients see the end, no hook follows", "[tcp]",
    ThreadEach, Strands) {
    TestType host;
    std::optional<Hub<TcpConnection, Lossy>> hub;
    Watched const handler;
    hub.emplace(host.pointers, handler);
    std::optional<TcpAcceptor> acceptor{Endpoint{"127.0.0.1:0"}};
    acceptor->serve(hub->driver(0), [&hub](TcpSocket socket) { hub->adopt(std::move(socket)); });
    host.run();
    auto clients = make_clients(4, acceptor->port());
    acceptor.reset();

    std::atomic<std::size_t> heard{0}, disorder{0}, told{0};
    std::vector<std::thread> threads;
    for (auto& client : clients)
        threads.emplace_back([&heard, &disorder, &client = *client] {
            std::array<std::size_t, publishers> next{};
            try {
                for (;;) {
                    std::string const message = client.hear();
                    if (message.starts_with("ready")) continue;
                    auto const [p, i] = parts_of(message);
                    if (i < next[p]) ++disorder;  // a gap is allowed here
                    next[p] = i + 1;
                    ++heard;
                    heard.notify_one();
                }
            } catch (std::system_error const&) {  // the end of the connection
            }
        });
    for (std::size_t p = 0; p < publishers; ++p)
        threads.emplace_back([&told, broadcaster = hub->broadcaster(), p] {
            for (std::size_t i = 0;;) {
                auto const result = broadcaster.publish("room", std::to_string(p) + ":" + std::to_string(i));
                if (result == PublishResult::closed) break;
                if (result == PublishResult::accepted)
                    ++i;
                else
                    std::this_thread::yield();
            }
            ++told;
        });
    for (std::size_t before = heard; before < 200; before = heard) heard.wait(before);
    hub.reset();
    host.pass_through();  // a hook that had begun may run until then
    *handler.is_over = true;
    for (auto& thread : threads) thread.join();  // hangs if somebody is not told
    CHECK(told == publishers);
    CHECK(disorder == 0);
    CHECK(heard >= 200);
    host.stop();
    CHECK(*handler.late == 0);
}
