#pragma once

#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/core/shard_loop.hpp>
#include <hubbub/core/unique_function.hpp>
#include <hubbub/transport/socket/accept_source.hpp>
#include <hubbub/transport/socket/endpoint.hpp>
#include <hubbub/transport/socket/listening_socket.hpp>
#include <hubbub/transport/socket/tcp_socket.hpp>
#include <hubbub/transport/tcp/tcp_driver.hpp>

namespace hubbub::inline v0 {

/// One listening socket that any number of loops accept from.
///
/// Threading: one controlling thread, any; `on_accept` runs on the loop of its driver, inside a turn, `on_trouble` on any
/// loop.
/// Lifetime: drivers and loops may go before or after it. After `close` or the destructor no `on_accept` begins on the
/// calling thread's loop; one that runs on another thread at that moment may still end.
/// Errors: constructors throw std::system_error that names the endpoint (in use, not local, no permission). The callbacks must not throw.
/// Example: `hubbub::TcpAcceptor acceptor{hubbub::Endpoint{"127.0.0.1:0"}};`
class TcpAcceptor {
   public:
    struct Options {
        int backlog = SOMAXCONN;  ///< connections that wait to be accepted; the system has a limit of its own
        int send_buffer = 0;      ///< SO_SNDBUF of accepted sockets in bytes; 0 leaves it to the system
        /// What the kernel may keep of what was not sent to each of them yet (TCP_NOTSENT_LOWAT), in bytes; 0 leaves it to the system.
        int unsent = detail::usual_unsent;
        /// A TCP client is accepted when its first bytes have come, which for a client that says nothing is after about a second: it takes
        /// no descriptor until then (TCP_DEFER_ACCEPT; Linux only, and an adopted socket stays as it is).
        bool defer_accept = true;
        /// Told once when accepting stalls (with the error) and once when it goes on (without).
        std::function<void(std::string_view what, std::error_code)> on_trouble{};
    };

    explicit TcpAcceptor(Endpoint const& endpoint) : TcpAcceptor(endpoint, Options{}) {}
    TcpAcceptor(Endpoint const& endpoint, Options options);

    /// Takes a socket that listens already, from a service manager or the process that this one replaces; `close` leaves it open to
    /// others who share it. It is made not to block, for them too.
    ///
    /// Errors: std::system_error if it is no stream socket that listens; the descriptor then still belongs to the caller.
    static TcpAcceptor adopt(int descriptor) { return adopt(descriptor, Options{}); }
    static TcpAcceptor adopt(int descriptor, Options options);

    TcpAcceptor(TcpAcceptor&&) noexcept = default;
    TcpAcceptor& operator=(TcpAcceptor&&) = delete;
    ~TcpAcceptor() { close(); }

    /// Begins to accept on the driver's loop, in its next turn. At most once a driver; after `close` without effect.
    void serve(TcpDriver& driver, std::function<void(TcpSocket)> on_accept);

    /// Stops on every loop and refuses new clients at once; idempotent. The descriptor is closed when the last loop has let go
    /// of it.
    void close();

    /// Stops on every loop and leaves the socket to those who share it, in another process for example: nobody is refused, and who was
    /// accepted is still given to `on_accept`. Then calls `completion`, on the loop that was last; at once, if none accepts.
    void leave(UniqueFunction<void()> completion);

    /// Nobody else serves an adopted socket any more: it ends with this acceptor, as one that was made here.
    void own() noexcept {
        if (shared_) shared_->socket.own();
    }

    /// To give it to others; -1 once it is closed.
    int descriptor() const noexcept { return shared_ ? shared_->socket.descriptor() : -1; }
    /// Whether others may serve the socket.
    bool is_shared() const noexcept { return shared_ && shared_->socket.is_shared(); }

    Endpoint const& endpoint() const noexcept { return endpoint_; }
    /// The one that the system chose, where the endpoint said 0.
    std::uint16_t port() const noexcept { return endpoint().port(); }

   private:
    class Registration;
    struct Registry {
        std::mutex mutex;
        std::vector<Registration*> entries;  // guarded by the mutex, as is the next
        UniqueFunction<void()> left;         // who waits for the last of them
    };

    explicit TcpAcceptor(std::shared_ptr<detail::AcceptShared> shared)
        : endpoint_(shared->socket.endpoint()), shared_(std::move(shared)), registry_(std::make_shared<Registry>()) {}

    static detail::ListeningSocket::Options socket_options(Options const& options) noexcept {
        return {.backlog = options.backlog,
                .send_buffer = options.send_buffer,
                .unsent = options.unsent,
                .defer_accept = options.defer_accept};
    }
    void end_registrations();

    Endpoint endpoint_;
    std::shared_ptr<detail::AcceptShared> shared_;  // null when closed, or moved from
    std::shared_ptr<Registry> registry_;
};

/// That one loop is to accept, or does. It belongs to the loop: to a posted function first, then to the engine, so that it
/// goes before the loop does, and `close` may post to the loops of those that are left.
class TcpAcceptor::Registration : public std::enable_shared_from_this<Registration> {
   public:
    Registration(TcpAcceptor const& acceptor, TcpDriver& driver, std::function<void(TcpSocket)> on_accept)
        : registry_(acceptor.registry_),
          shared_(acceptor.shared_),
          loop_(driver.loop()),
          engine_(driver.engine().handle()),
          on_accept_(std::move(on_accept)) {
        std::lock_guard const lock(registry_->mutex);
        registry_->entries.push_back(this);
    }
    Registration(Registration const&) = delete;
    Registration& operator=(Registration const&) = delete;
    ~Registration() {
        source_.reset();
        UniqueFunction<void()> left;
        {
            std::lock_guard const lock(registry_->mutex);
            std::erase(registry_->entries, this);
            if (registry_->entries.empty()) left = std::exchange(registry_->left, {});
        }
        if (left) left();
    }

    static void begin(std::shared_ptr<Registration> const& self) {
        auto const engine = self->engine_.lock();
        if (!engine || !self->shared_->is_open()) return;
        detail::attempt<std::system_error>(
            [&] {
                self->source_.emplace(self->shared_, **engine, std::move(self->on_accept_));
                (*engine)->keep(self);
            },
            [&](std::system_error const& error) { self->shared_->report(error.what(), error.code().value()); });
    }

    /// Called with the mutex held, so that the loop lives.
    void post_end() {
        loop_.post([weak = weak_from_this()] {
            if (auto const self = weak.lock()) self->end();
        });
    }

   private:
    void end() {
        auto const engine = engine_.lock();
        if (!engine) return;
        if (source_) source_->finish();
        (*engine)->drop(this);
    }

    std::shared_ptr<Registry> registry_;
    std::shared_ptr<detail::AcceptShared> shared_;
    ShardLoop& loop_;
    std::weak_ptr<detail::SocketEngine*> engine_;
    std::function<void(TcpSocket)> on_accept_;
    std::optional<detail::AcceptSource> source_;
};

inline TcpAcceptor::TcpAcceptor(Endpoint const& endpoint, Options options)
    : TcpAcceptor(std::make_shared<detail::AcceptShared>(endpoint, socket_options(options))) {
    shared_->on_trouble = std::move(options.on_trouble);
}

inline TcpAcceptor TcpAcceptor::adopt(int descriptor, Options options) {
    TcpAcceptor acceptor(std::make_shared<detail::AcceptShared>(descriptor, socket_options(options)));
    acceptor.shared_->on_trouble = std::move(options.on_trouble);
    return acceptor;
}

inline void TcpAcceptor::serve(TcpDriver& driver, std::function<void(TcpSocket)> on_accept) {
    if (!shared_) return;
    auto registration = std::make_shared<Registration>(*this, driver, std::move(on_accept));
    driver.loop().post([registration = std::move(registration)] { Registration::begin(registration); });
}

inline void TcpAcceptor::close() {
    auto const shared = std::exchange(shared_, nullptr);
    if (!shared) return;
    shared->state = detail::AcceptShared::State::closed;
    shared->socket.stop();
    end_registrations();
}

inline void TcpAcceptor::leave(UniqueFunction<void()> completion) {
    auto const shared = std::exchange(shared_, nullptr);
    if (shared) {
        shared->state = detail::AcceptShared::State::leaving;
        shared->socket.share();
        std::lock_guard const lock(registry_->mutex);
        if (!registry_->entries.empty()) registry_->left = std::exchange(completion, {});
    }
    if (completion) return completion();
    end_registrations();
}

/// Each on its own loop.
inline void TcpAcceptor::end_registrations() {
    std::lock_guard const lock(registry_->mutex);
    for (Registration* registration : registry_->entries) registration->post_end();
}

}  // namespace hubbub::inline v0
