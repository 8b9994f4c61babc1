#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include <hubbub/transport/socket/listening_socket.hpp>
#include <hubbub/transport/socket/socket_engine.hpp>
#include <hubbub/transport/socket/tcp_socket.hpp>

namespace hubbub::inline v0::detail {

/// What all loops share that accept from one socket.
struct AcceptShared {
    AcceptShared(auto&& where, ListeningSocket::Options const& options) : socket(where, options) {}

    enum class State : std::uint8_t {
        open,
        leaving,  // accepts no more, but delivers what was accepted
        closed,   // delivers nothing
    };

    bool is_open() const noexcept { return state.load(std::memory_order_relaxed) == State::open; }
    bool is_closed() const noexcept { return state.load(std::memory_order_relaxed) == State::closed; }

    ListeningSocket socket;
    std::atomic<State> state{State::open};
    std::function<void(std::string_view, std::error_code)> on_trouble;

    void report(std::string_view what, int error) const {
        if (on_trouble) on_trouble(what, std::error_code(error, std::generic_category()));
    }
};

/// Accepts on one loop.
///
/// When descriptors run out (EMFILE, ENFILE, or no memory) it refuses one client with a descriptor that it keeps for that
/// purpose, so that who waits longest learns it, then leaves the queue alone for a while: level-triggered readiness would
/// spin. It goes on by itself.
class AcceptSource final : private ListenOwner {
   public:
    AcceptSource(std::shared_ptr<AcceptShared> shared, SocketEngine& engine, std::function<void(TcpSocket)> on_accept)
        : shared_(std::move(shared)), engine_(engine), on_accept_(std::move(on_accept)) {
        watch_ = engine.listen(shared_->socket.descriptor(), *this);
        spare_ = open_spare();
    }
    AcceptSource(AcceptSource const&) = delete;
    AcceptSource& operator=(AcceptSource const&) = delete;
    ~AcceptSource() {
        watch_.reset();
        if (spare_ >= 0) ::close(spare_);
    }

    /// Accepts no more, and delivers what was accepted, and what waits now: the system tells of a connection only one of those who accept
    /// from a socket, and if that was this one, who goes on with the socket would learn of it with the next client only.
    void finish() {
        watch_->finish();
        for (int i = 0; i < max_batch && !shared_->is_closed(); ++i) {
            TcpSocket socket = accept_one();
            if (!socket) return;
            deliver(std::move(socket));
        }
    }

   private:
    static constexpr int max_batch = 64;  // then the sockets of the loop have their turn
    static constexpr std::chrono::milliseconds shortest_pause{10}, longest_pause{1000};

    static bool is_passing(int error) noexcept;
    static int open_spare() noexcept { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }
    TcpSocket accept_one() const noexcept;
    void on_acceptable() override;
    void accept_waiting();
    void on_accepted(int descriptor) override;
    void on_accept_error(int error) override;
    void deliver(TcpSocket socket);
    void refuse_one() noexcept;

    std::shared_ptr<AcceptShared> shared_;
    SocketEngine& engine_;
    std::function<void(TcpSocket)> on_accept_;
    int spare_ = -1;
    std::chrono::milliseconds pause_{0};  // the last one, 0 while all is well
    std::unique_ptr<ListenWatch> watch_;
};

inline void AcceptSource::on_acceptable() {
    engine_.begin_accept();
    accept_waiting();
    engine_.end_accept();  // who is told there may bring down all of this
}

inline void AcceptSource::accept_waiting() {
    for (int i = 0; i < max_batch && shared_->is_open(); ++i) {
        if (TcpSocket socket = accept_one()) {
            deliver(std::move(socket));
            continue;
        }
        int const error = errno;
        if (error == EAGAIN || error == EWOULDBLOCK) return;
        if (!is_passing(error)) return on_accept_error(error);
    }
}

inline void AcceptSource::on_accepted(int descriptor) {
    TcpSocket socket(descriptor, peer_address(descriptor));
    if (!shared_->is_closed()) deliver(std::move(socket));
}

inline void AcceptSource::deliver(TcpSocket socket) {
    if (pause_.count() != 0) {
        pause_ = {};
        shared_->report("accepting again", 0);
    }
    if (spare_ < 0) spare_ = open_spare();
    on_accept_(std::move(socket));
}

/// The client has gone again, or a filter refused it; Linux also hands over errors of the network here.
inline bool AcceptSource::is_passing(int error) noexcept {
    constexpr std::array passing{EINTR,     ECONNABORTED, EPROTO, EPERM,      ENETDOWN,   ENOPROTOOPT,
                                 EHOSTDOWN, EHOSTUNREACH, ENONET, EOPNOTSUPP, ENETUNREACH};
    return std::find(passing.begin(), passing.end(), error) != passing.end();
}

inline TcpSocket AcceptSource::accept_one() const noexcept {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    auto* address = reinterpret_cast<sockaddr*>(&storage);
#ifdef SOCK_CLOEXEC
    int const descriptor = ::accept4(shared_->socket.descriptor(), address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
#else
    int const descriptor = ::accept(shared_->socket.descriptor(), address, &length);
    if (descriptor >= 0) {
        (void)::fcntl(descriptor, F_SETFL, O_NONBLOCK);
        (void)::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    }
#endif
    if (descriptor < 0) return {};
    TcpSocket socket(descriptor, to_peer_address(address));
    socket.set_has_bytes(shared_->socket.defers_accept());
    return socket;
}

inline void AcceptSource::on_accept_error(int error) {
    if (is_passing(error) || !shared_->is_open()) return;
    bool const is_first = pause_.count() == 0;
    pause_ = is_first ? shortest_pause : std::min(pause_ * 2, longest_pause);
    watch_->pause_for(pause_);
    if (error == EMFILE || error == ENFILE) {
        refuse_one();
        if (is_first) shared_->report("out of file descriptors; clients wait to be accepted", error);
    } else if (is_first) {
        shared_->report("accepting failed; clients wait to be accepted", error);
    }
}

inline void AcceptSource::refuse_one() noexcept {
    if (spare_ < 0) return;
    ::close(std::exchange(spare_, -1));
    if (TcpSocket const refused = accept_one()) {
        // What has arrived is read, else closing would reset the connection instead of ending it.
        (void)::shutdown(refused.descriptor(), SHUT_WR);
        std::array<std::byte, 4096> discarded;
        for (int i = 0; i < 16 && ::recv(refused.descriptor(), discarded.data(), discarded.size(), 0) > 0; ++i) {}
    }
    spare_ = open_spare();
}

}  // namespace hubbub::inline v0::detail
