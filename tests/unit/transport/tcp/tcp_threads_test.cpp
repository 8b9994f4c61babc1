// TCP with real threads; most useful under ThreadSanitizer.
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <asio/executor_work_guard.hpp>

#include <hubbub/transport/tcp/tcp_acceptor.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/engines.hpp"
#include "tests/unit/transport/tcp/tcp_fixture.hpp"

using namespace hubbub_test;
using hubbub::EngineKind;
using hubbub::Threading;

namespace {

/// A loop whose connections send back what they get, and go to the next loop with each message.
class WanderingEcho {
   public:
    WanderingEcho(asio::io_context& context, Threading threading, EngineKind kind)
        : loop(context, threading), driver_(loop, {.engine = kind}) {
        loop.attach(&hook_);
    }

    void add(hubbub::TcpSocket socket) {
        auto guest = std::make_unique<Guest>(*this, std::move(socket));
        Guest& added = *guest;
        guests_.emplace(&added, std::move(guest));
        added.connection.start(added);
    }
    void serve(hubbub::TcpAcceptor& acceptor) {
        acceptor.serve(driver_, [this](hubbub::TcpSocket socket) { add(std::move(socket)); });
    }
    void end() {
        guests_.clear();
        leaving_.clear();
    }

    hubbub::AsioLoop loop;
    WanderingEcho* next = nullptr;
    std::atomic<int> lost{0};

   private:
    struct Guest final : hubbub::ByteConnectionOwner {
        Guest(WanderingEcho& host, hubbub::TcpSocket socket) : host_(host), connection(host.driver_, std::move(socket)) {}
        void on_bytes(std::span<std::byte> borrowed) noexcept override {
            if (borrowed.empty()) return host_.leave(*this, false);
            hubbub::ws::Block block{};
            block.bytes = borrowed.data();
            hubbub::ws::Slice const slice{&block, 0, static_cast<std::uint32_t>(borrowed.size())};
            auto const result = connection.write({&slice, 1});
            if (result.taken + result.held != slice.length) ++host_.lost;
            host_.leave(*this, true);
        }
        void on_writable() noexcept override { ++host_.lost; }
        void on_written(std::uint32_t) noexcept override { ++host_.lost; }
        void on_lost() noexcept override { ++host_.lost; }

       private:
        WanderingEcho& host_;

       public:
        hubbub::TcpConnection connection;
    };
    struct Hook final : hubbub::TurnHook {
        explicit Hook(WanderingEcho& owner) : host(owner) {}
        void on_turn_begin() noexcept override {}
        void on_turn_end() noexcept override {
            host.driver_.commit();
            for (Guest* guest : host.leaving_) host.guests_.erase(guest);
            host.leaving_.clear();
        }
        void on_wake() noexcept override {}
        WanderingEcho& host;
    };

    void leave(Guest& guest, bool goes_on) {
        if (goes_on)
            next->loop.post([to = next, socket = guest.connection.detach()]() mutable { to->add(std::move(socket)); });
        else
            guest.connection.close();
        leaving_.push_back(&guest);
    }

    hubbub::TcpDriver driver_;
    Hook hook_{*this};
    std::unordered_map<Guest*, std::unique_ptr<Guest>> guests_;
    std::vector<Guest*> leaving_;
};

/// Everybody sends, in pieces and without waiting for answers; says whether each got exactly his bytes back.
bool all_are_echoed(hubbub::Endpoint const& endpoint, int clients, std::string const& text) {
    std::vector<RawPeer> peers;
    std::vector<std::size_t> sent(static_cast<std::size_t>(clients), 0);
    std::vector<std::string> got(static_cast<std::size_t>(clients));
    for (int i = 0; i < clients; ++i) peers.emplace_back(endpoint);
    for (int tries = 0; tries < 2'000'000; ++tries) {
        std::size_t complete = 0;
        for (std::size_t i = 0; i < peers.size(); ++i) {
            if (sent[i] < text.size() && sent[i] < got[i].size() + 200) {
                std::size_t const size = std::min<std::size_t>(7 + i, text.size() - sent[i]);
                peers[i].write(std::string_view(text).substr(sent[i], size));
                sent[i] += size;
            }
            got[i] += peers[i].read();
            complete += got[i].size() >= text.size();
        }
        if (complete == peers.size()) break;
        std::this_thread::yield();
    }
    for (auto& peer : peers) peer.end();
    return std::all_of(got.begin(), got.end(), [&](std::string const& each) { return each == text; });
}

std::string long_text() {
    std::string text;
    for (int i = 0; i < 300; ++i) text += std::to_string(i) + " ";
    return text;
}

}  // namespace

TEST_CASE("sockets that wander between loops on two threads lose no byte") {
    auto const kind = GENERATE(from_range(engines));
    asio::io_context first_context, second_context;
    auto first_work = asio::make_work_guard(first_context), second_work = asio::make_work_guard(second_context);
    std::optional<WanderingEcho> first, second;
    first.emplace(first_context, Threading::one_thread, kind);
    second.emplace(second_context, Threading::one_thread, kind);
    first->next = &*second;
    second->next = &*first;
    hubbub::TcpAcceptor acceptor(hubbub::Endpoint("127.0.0.1:0"));
    first->serve(acceptor);
    second->serve(acceptor);
    std::thread one([&] { first_context.run(); }), two([&] { second_context.run(); });
    CHECK(all_are_echoed(acceptor.endpoint(), 20, long_text()));
    acceptor.close();  // from outside, while they run
    first_context.stop();
    second_context.stop();
    one.join();
    two.join();
    CHECK(first->lost + second->lost == 0);
    first->end();
    second->end();
}

TEST_CASE("loops that are strands of one io_context on four threads lose no byte") {
    auto const kind = GENERATE(from_range(engines));
    asio::io_context context;
    auto work = asio::make_work_guard(context);
    std::vector<std::unique_ptr<WanderingEcho>> loops;
    for (int i = 0; i < 3; ++i) loops.push_back(std::make_unique<WanderingEcho>(context, Threading::several_threads, kind));
    for (std::size_t i = 0; i < 3; ++i) loops[i]->next = loops[(i + 1) % 3].get();
    hubbub::TcpAcceptor acceptor(hubbub::Endpoint("127.0.0.1:0"));
    for (auto& loop : loops) loop->serve(acceptor);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([&] { context.run(); });
    CHECK(all_are_echoed(acceptor.endpoint(), 20, long_text()));
    acceptor.close();
    context.stop();
    for (auto& thread : threads) thread.join();
    int lost = 0;
    for (auto& loop : loops) lost += loop->lost;
    CHECK(lost == 0);
    for (auto& loop : loops) loop->end();
}
