#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include <hubbub/transport/socket/tcp_socket.hpp>
#include <hubbub/transport/socket/tls_options.hpp>
#include <hubbub/transport/tls/tls_core.hpp>
#include <hubbub/transport/tls/tls_counts.hpp>
#include <hubbub/transport/tls/tls_engine.hpp>

namespace hubbub::inline v0 {

/// Certificates, keys and rules of TLS, and what makes a socket speak it: a TcpConnection that is made of such a socket is encrypted,
/// on every engine, and a hub serves it beside plain ones.
///
/// Threading: any, at the same time. Lifetime: sockets and connections keep what they need of it.
/// Errors: std::invalid_argument or std::system_error that names the file or option; what a reload finds wrong changes nothing.
/// Cost: a lock for the time of a copy per connection.
/// Example:
///     hubbub::TlsContext tls{{.certificate = "chain.pem", .key = "key.pem"}};
///     acceptor.serve(hub.driver(0), [&](hubbub::TcpSocket socket) { hub.adopt(tls.wrap(std::move(socket))); });
class TlsContext {
   public:
    explicit TlsContext(TlsOptions options)
        : options_(std::move(options)), core_(std::make_shared<detail::TlsCore>(options_)) {}

    /// The server's side of TLS on a socket of which nothing was read, but for what it has as `unread`.
    TcpSocket wrap(TcpSocket socket) const {
        socket.set_layer(std::make_unique<detail::TlsLink>(&detail::TlsEngine::make, core_));
        return socket;
    }

    /// Reads the files again. Who connects from now on gets what is in them; who is connected notices nothing, and tickets stay good.
    void reload() {
        std::lock_guard const lock(mutex_);
        reload_locked(options_);
    }
    /// The same with other options; who is told of failures stays, if they name nobody.
    void reload(TlsOptions options) {
        std::lock_guard const lock(mutex_);
        if (!options.on_failure) options.on_failure = options_.on_failure;
        reload_locked(options);
        options_ = std::move(options);
    }
    /// The next tickets are sealed with a new key; it happens by itself each `TlsOptions::resumption`.
    void replace_ticket_key() { core_->keys().replace(); }

    TlsCounts counts() const noexcept { return core_->counts(); }

   private:
    void reload_locked(TlsOptions const& options) {
        core_->set(options);
        detail::TlsCore::count(core_->counters.reloads);
    }

    std::mutex mutex_;
    TlsOptions options_;  // guarded by the mutex
    std::shared_ptr<detail::TlsCore> core_;
};

}  // namespace hubbub::inline v0
