// Subscribers that vanish and come back at random moments while a topic is published to: the sequence of each has to be whole.
//   hubbub_recovery_race [--subscribers N] [--rate N] [--seconds N] [--seed N]
// A subscriber has passed if it got every publication once and in order, over all its connections.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <hubbub/server/server.hpp>
#include <hubbub/ws/encoder.hpp>

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// What the server says, in a binary message: a publication, or where a subscription begins.
struct Said {
    std::uint64_t epoch, offset;
    std::uint64_t number;  ///< of the publication; `recovered` or `begun_anew`
};
constexpr std::uint64_t recovered = ~0ull, begun_anew = ~0ull - 1;

hubbub::MessageView view_of(Said const& said) { return hubbub::MessageView::binary(std::as_bytes(std::span(&said, 1))); }

struct Numbers : hubbub::SilentCodec {
    hubbub::Frame publication(hubbub::PublicationInfo const& info, hubbub::MessageView message) const {
        Said said{info.position.epoch, info.position.offset, 0};
        std::memcpy(&said.number, message.payload().data(), sizeof said.number);
        return hubbub::Frame(view_of(said));
    }
};
struct RacePolicy : hubbub::DefaultPolicy {
    using Topics = hubbub::TopicsByName;
    using Codec = Numbers;
    using Rates = hubbub::NoRates;
};
/// A client says the position that it has.
struct Topic : hubbub::NoopHandler {
    void on_message(auto& session, hubbub::MessageView message) {
        hubbub::Position since;
        std::memcpy(&since, message.payload().data(), std::min(sizeof since, message.size()));
        hubbub::SubscribeOptions options;
        if (since.epoch) options.since = since;
        session.subscribe("topic", options);
    }
    void on_subscribed(auto& session, hubbub::Subscription const& told) {
        session.send(view_of({told.position.epoch, told.position.offset, told.recovered ? recovered : begun_anew}));
    }
};

struct Options {
    std::size_t subscribers = 1000;
    std::uint64_t rate = 1000, seconds = 60, seed = 1;
};

/// One subscriber, over all its connections.
class Subscriber {
   public:
    int fd = -1;
    hubbub::Position position{};
    std::uint64_t publications = 0, comebacks = 0;
    Clock::time_point leaves_at{};
    std::optional<std::string> problem{};

    void connect(std::uint16_t port) {
        fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
            throw std::runtime_error("cannot connect");
        std::string text =
            "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
        char since[sizeof position];
        std::memcpy(since, &position, sizeof since);
        text += hubbub::ws::encode_frame(hubbub::ws::ClientFrame::make(hubbub::ws::Opcode::binary, {since, sizeof since}));
        if (::send(fd, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size()))
            throw std::runtime_error("cannot send");
        buffer_.clear();
        is_open_ = is_told_ = false;
    }
    void leave() {
        linger const reset{1, 0};
        ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        ::close(fd);
        fd = -1;
    }
    /// False: the server has ended the connection.
    bool read(std::span<char> into) {
        ssize_t const got = ::recv(fd, into.data(), into.size(), MSG_DONTWAIT);
        if (got < 0) return errno == EAGAIN || errno == EINTR;
        if (got == 0) return false;
        buffer_.append(into.data(), static_cast<std::size_t>(got));
        take();
        return true;
    }

   private:
    void take() {
        std::size_t at = 0;
        if (!is_open_) {
            at = buffer_.find("\r\n\r\n");
            if (at == std::string::npos) return;
            if (!buffer_.starts_with("HTTP/1.1 101")) return fail("not upgraded: " + buffer_.substr(0, 40));
            at += 4;
            is_open_ = true;
        }
        for (; buffer_.size() - at >= 2;) {
            auto const length = static_cast<unsigned char>(buffer_[at + 1]);
            if (static_cast<unsigned char>(buffer_[at]) == 0x88) return fail("closed by the server");
            if (length > 125) return fail("a message of another length");
            if (buffer_.size() - at < 2u + length) break;
            if (length == sizeof(Said) && static_cast<unsigned char>(buffer_[at]) == 0x82) {
                Said said;
                std::memcpy(&said, buffer_.data() + at + 2, sizeof said);
                hear(said);
            }
            at += 2u + length;
        }
        buffer_.erase(0, at);
    }
    void hear(Said const& said) {
        hubbub::Position const where{said.epoch, said.offset};
        if (said.number == recovered || said.number == begun_anew) {
            if (is_told_) return fail("told twice where it begins");
            if (position.epoch && (said.number != recovered || where != position)) return fail("not recovered");
            if (position.epoch) ++comebacks;
            is_told_ = true;
            position = where;
            return;
        }
        if (!is_told_) return fail("a publication before it was told where it begins");
        if (where != hubbub::Position{position.epoch, position.offset + 1})
            return fail("offset " + std::to_string(where.offset) + " behind " + std::to_string(position.offset));
        if (said.number != said.offset) return fail("another publication than that of the offset");
        position = where;
        ++publications;
    }
    void fail(std::string what) {
        if (!problem) problem = std::move(what);
    }

    std::string buffer_;
    bool is_open_ = false, is_told_ = false;
};

int race(Options const& options) {
    hubbub::ServerOptions<RacePolicy> server_options{.port = 0, .threads = 2};
    server_options.hub.topics.names = {{"topic", {.history = {.messages = 100'000, .bytes = 64u << 20}}}};
    server_options.hub.limits.per_address = server_options.hub.limits.in_all = 0;
    hubbub::Server<RacePolicy> server{Topic{}, server_options};
    std::thread runner([&] { server.run(); });
    std::atomic<bool> goes_on{true};
    std::atomic<std::uint64_t> published{0};
    std::thread publisher([&] {
        auto const broadcaster = server.hub().broadcaster();
        auto const began = Clock::now();
        for (std::uint64_t number = 1; goes_on; ++number) {
            std::this_thread::sleep_until(began + number * 1'000'000'000ns / options.rate);
            auto const frame = hubbub::Frame::binary(std::as_bytes(std::span(&number, 1)));
            auto result = broadcaster.publish("topic", frame);
            for (; result == hubbub::PublishResult::busy && goes_on; result = broadcaster.publish("topic", frame))
                std::this_thread::sleep_for(1ms);  // the owner's mailbox is full: who is from outside waits
            if (result == hubbub::PublishResult::accepted) published = number;
        }
    });

    std::mt19937_64 random(options.seed);
    auto const some_time = [&] { return std::chrono::milliseconds(200 + random() % 9800); };
    std::vector<Subscriber> subscribers(options.subscribers);
    std::vector<char> buffer(256 * 1024);
    int const set = ::epoll_create1(EPOLL_CLOEXEC);
    auto const enter = [&](std::size_t i) {
        subscribers[i].connect(server.port());
        subscribers[i].leaves_at = Clock::now() + some_time();
        epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
        ::epoll_ctl(set, EPOLL_CTL_ADD, subscribers[i].fd, &event);
    };
    auto const ends_at = Clock::now() + std::chrono::seconds(options.seconds);
    auto const gives_up_at = ends_at + 30s;
    std::array<epoll_event, 256> events;
    auto looked_at = Clock::now();
    for (bool is_over = false; !is_over;) {
        int const count = ::epoll_wait(set, events.data(), static_cast<int>(events.size()), 5);
        for (int i = 0; i < count; ++i) {
            Subscriber& each = subscribers[events[static_cast<std::size_t>(i)].data.u64];
            if (each.fd >= 0 && !each.read(buffer) && !each.problem) each.problem = "the connection was lost";
            if (each.problem && each.fd >= 0) each.leave();
        }
        auto const now = Clock::now();
        if (now - looked_at < 5ms) continue;
        looked_at = now;
        bool const leave = now < ends_at;
        if (!leave) goes_on = false;
        is_over = !leave;
        for (std::size_t i = 0; i < subscribers.size(); ++i) {
            Subscriber& each = subscribers[i];
            if (each.problem) continue;
            if (each.fd >= 0 && leave && now >= each.leaves_at) {
                each.leave();  // for a moment, or for a while
                each.leaves_at = now + (random() % 2 ? 0ms : some_time() / 4);
            } else if (each.fd < 0 && (now >= each.leaves_at || !leave)) {
                enter(i);
            }
            if (each.position.offset != published) is_over = false;
        }
        if (now >= gives_up_at) break;
    }
    goes_on = false;
    publisher.join();
    std::uint64_t publications = 0, comebacks = 0, wrong = 0;
    for (Subscriber& each : subscribers) {
        if (each.fd >= 0) each.leave();
        if (!each.problem && each.position.offset != published)
            each.problem = "has " + std::to_string(each.position.offset) + " of " + std::to_string(published);
        publications += each.publications;
        comebacks += each.comebacks;
        if (each.problem && ++wrong <= 5)
            std::cout << "FAILED  subscriber " << &each - subscribers.data() << ": " << *each.problem << '\n';
    }
    ::close(set);
    server.stop();
    runner.join();
    if (!comebacks) ++wrong;
    std::cout << "        published " << published << ", heard " << publications << ", came back " << comebacks << " times\n"
              << options.subscribers - std::min<std::size_t>(wrong, options.subscribers) << " passed, " << wrong << " failed\n";
    return wrong ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    for (int i = 1; i + 1 < argc; i += 2) {
        std::string_view const name = argv[i];
        std::uint64_t const value = std::strtoull(argv[i + 1], nullptr, 10);
        if (name == "--subscribers")
            options.subscribers = value;
        else if (name == "--rate")
            options.rate = value;
        else if (name == "--seconds")
            options.seconds = value;
        else if (name == "--seed")
            options.seed = value;
        else
            return std::cerr << "hubbub_recovery_race: " << name << " is not known\n", 2;
    }
    return race(options);
}
