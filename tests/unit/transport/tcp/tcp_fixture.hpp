// Loops, engines and raw peers for the tests of TCP.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <asio/io_context.hpp>

#include <hubbub/transport/memory/manual_loop.hpp>
#include <hubbub/transport/socket/endpoint.hpp>
#include <hubbub/transport/socket/listening_socket.hpp>
#include <hubbub/transport/tcp/asio_loop.hpp>
#include <hubbub/transport/tcp/tcp_connection.hpp>
#include <hubbub/transport/tcp/tcp_driver.hpp>

namespace hubbub_test {

/// A client without any of the library.
class RawPeer {
   public:
    static constexpr std::size_t large = 4u << 20;  ///< much more than the buffers of sockets hold

    explicit RawPeer(int descriptor) : descriptor_(descriptor) {}
    explicit RawPeer(hubbub::Endpoint const& endpoint, int receive_buffer = 0) {
        sockaddr_storage storage;
        socklen_t const length = endpoint.to_sockaddr(storage);
        descriptor_ = ::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (receive_buffer > 0) (void)::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
        if (::connect(descriptor_, reinterpret_cast<sockaddr*>(&storage), length) != 0) {
            int const error = errno;
            ::close(descriptor_);
            throw std::system_error(error, std::generic_category(), "connect");
        }
        (void)::fcntl(descriptor_, F_SETFL, O_NONBLOCK);
    }
    RawPeer(RawPeer&& other) noexcept
        : descriptor_(std::exchange(other.descriptor_, -1)), ended_(other.ended_), was_reset_(other.was_reset_) {}
    RawPeer& operator=(RawPeer&&) = delete;
    ~RawPeer() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }

    void write(std::string_view bytes) {
        if (::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size()))
            throw std::runtime_error("the peer could not write everything");
    }
    std::string read() {
        std::string bytes;
        std::array<char, 65536> buffer;
        while (descriptor_ >= 0) {
            ssize_t const got = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
            if (got > 0) {
                bytes.append(buffer.data(), static_cast<std::size_t>(got));
                continue;
            }
            if (got == 0) ended_ = true;
            if (got < 0 && errno == ECONNRESET) was_reset_ = true;
            break;
        }
        return bytes;
    }
    bool has_ended() const { return ended_; }
    bool was_reset() const { return was_reset_; }
    int descriptor() const { return descriptor_; }
    void end() { (void)::shutdown(descriptor_, SHUT_WR); }
    void reset() {
        linger const abort{.l_onoff = 1, .l_linger = 0};
        (void)::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
        ::close(std::exchange(descriptor_, -1));
    }

   private:
    int descriptor_ = -1;
    bool ended_ = false, was_reset_ = false;
};

/// One who says something at once, as a client of WebSocket does: who does not is accepted a second later.
inline RawPeer speaking_peer(hubbub::Endpoint const& endpoint) {
    RawPeer peer(endpoint);
    peer.write("x");
    return peer;
}

/// A loop that the test runs.
struct PumpedLoop {
    virtual ~PumpedLoop() = default;
    virtual hubbub::ShardLoop& loop() = 0;
    /// Runs what is ready, or waits so long for something. How much there was.
    virtual int pump(int milliseconds) = 0;
};

/// The loop of an io_context, as one thread or as a strand.
struct PumpedAsioLoop final : PumpedLoop {
    explicit PumpedAsioLoop(hubbub::Threading threading) : asio_loop(context, threading) {}
    hubbub::ShardLoop& loop() override { return asio_loop; }
    int pump(int milliseconds) override {
        context.restart();
        auto const ran = context.poll();
        if (ran > 0 || milliseconds == 0) return static_cast<int>(ran);
        return static_cast<int>(context.run_one_for(std::chrono::milliseconds(milliseconds)));
    }
    asio::io_context context;
    hubbub::AsioLoop asio_loop;
};

struct PumpedManualLoop final : PumpedLoop {
    hubbub::ShardLoop& loop() override { return manual_loop; }
    int pump(int milliseconds) override { return manual_loop.run_turn() || manual_loop.poll_watched(milliseconds) ? 1 : 0; }
    hubbub::ManualLoop manual_loop;
};

/// A driver and raw peers over one engine and one kind of loop. The kinds are no types of their own, so that what is tested with
/// each of them is compiled once.
class TcpFixture {
   public:
    enum class Loop : std::uint8_t { one_thread, strand, without_asio };
    struct Kind {
        Loop loop;
        hubbub::EngineKind engine;
        char const* name;
    };
    static constexpr Kind epoll_on_one_thread{Loop::one_thread, hubbub::EngineKind::epoll, "epoll on one thread"};
    static constexpr Kind epoll_on_strand{Loop::strand, hubbub::EngineKind::epoll, "epoll on a strand"};
    static constexpr Kind epoll_without_asio{Loop::without_asio, hubbub::EngineKind::epoll, "epoll without Asio"};
    static constexpr Kind asio_on_one_thread{Loop::one_thread, hubbub::EngineKind::asio, "asio on one thread"};
    static constexpr Kind asio_on_strand{Loop::strand, hubbub::EngineKind::asio, "asio on a strand"};
#ifdef HUBBUB_HAS_URING
    static constexpr Kind uring_on_one_thread{Loop::one_thread, hubbub::EngineKind::uring, "uring on one thread"};
    static constexpr Kind uring_without_asio{Loop::without_asio, hubbub::EngineKind::uring, "uring without Asio"};
    static constexpr std::array kinds{epoll_on_one_thread, epoll_on_strand,     epoll_without_asio, asio_on_one_thread,
                                      asio_on_strand,      uring_on_one_thread, uring_without_asio};
#else
    static constexpr std::array kinds{epoll_on_one_thread, epoll_on_strand, epoll_without_asio, asio_on_one_thread,
                                      asio_on_strand};
#endif
    static inline Kind usual = epoll_on_one_thread;  ///< of fixtures for which nothing is said

    using Connection = hubbub::TcpConnection;
    using Peer = RawPeer;
    struct Pair {
        hubbub::TcpSocket socket;
        RawPeer peer;
    };

    explicit TcpFixture(Kind kind = usual) : loop_(make(kind.loop)), driver_(loop_->loop(), {.engine = kind.engine}) {
        loop().attach(&hook_);
    }
    ~TcpFixture() { loop().attach(nullptr); }

    hubbub::TcpDriver& driver() { return driver_; }
    hubbub::ShardLoop& loop() { return loop_->loop(); }
    int pump(int milliseconds) { return loop_->pump(milliseconds); }
    int turns() const { return hook_.turns; }

    Pair connect() {
        hubbub::detail::ListeningSocket const listener(hubbub::Endpoint("127.0.0.1:0"), {.send_buffer = 16384});
        RawPeer peer(listener.endpoint(), 16384);
        int descriptor = -1;
        for (int i = 0; i < 1000000 && descriptor < 0; ++i) descriptor = ::accept(listener.descriptor(), nullptr, nullptr);
        return {hubbub::TcpSocket::adopt(descriptor, {.send_buffer = 16384}), std::move(peer)};
    }
    bool pump_until(std::function<bool()> const& is_done) {
        for (int i = 0; i < 20000; ++i) {
            if (is_done()) return true;
            (void)pump(i < 10 ? 0 : 1);
        }
        return is_done();
    }
    bool settles() {
        int idle = 0;
        for (int i = 0; i < 1000; ++i) {
            if (pump(0) == 0 && ++idle == 5) return true;
        }
        return false;
    }

   private:
    struct Hook final : hubbub::TurnHook {
        explicit Hook(TcpFixture& owner) : fixture(owner) {}
        void on_turn_begin() noexcept override { ++turns; }
        void on_turn_end() noexcept override { fixture.driver_.commit(); }
        void on_wake() noexcept override {}
        TcpFixture& fixture;
        int turns = 0;
    };

    static std::unique_ptr<PumpedLoop> make(Loop loop) {
        if (loop == Loop::without_asio) return std::make_unique<PumpedManualLoop>();
        return std::make_unique<PumpedAsioLoop>(loop == Loop::strand ? hubbub::Threading::several_threads
                                                                     : hubbub::Threading::one_thread);
    }

    std::unique_ptr<PumpedLoop> loop_;
    hubbub::TcpDriver driver_;
    Hook hook_{*this};
};

}  // namespace hubbub_test
