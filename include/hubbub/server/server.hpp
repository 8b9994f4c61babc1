#pragma once

#include <algorithm>
#include <concepts>
#include <csignal>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <asio/basic_signal_set.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/socket/tls_options.hpp>
#include <hubbub/transport/tcp/asio_loop.hpp>
#include <hubbub/transport/tcp/tcp_acceptor.hpp>
#include <hubbub/transport/tcp/tcp_connection.hpp>
#ifdef HUBBUB_HAS_TLS
#include <hubbub/transport/tls/tls_context.hpp>
#endif

namespace hubbub::inline v0 {

/// Where a Server listens, on how many threads, and what its hub is like.
template <HubPolicy Policy = DefaultPolicy>
struct ServerOptions {
    std::string address = "127.0.0.1";  ///< "0.0.0.0" or "::" for everybody; without a name
    std::uint16_t port = 8080;          ///< 0: the system chooses, and `Server::port` tells
    /// Further endpoints, such as "unix:/run/hub.sock"; see Endpoint. With "plain:" or "tls:" before it, else as `address`.
    std::vector<std::string> listen{};
    TlsOptions tls{};      ///< with a certificate, `address` speaks TLS; needs the target hubbub::tls
    unsigned threads = 0;  ///< loops, and shards of the hub, at most 64; 0 for one a core
    HubOptions<Policy> hub{};
    TcpDriver::Options driver{};  ///< which engine
    DrainOptions drain{};         ///< how it ends
};

/// What a server accepts: TcpConnection, or what is made of it, such as WebsocketppConnection<TcpConnection>.
template <class T>
concept SocketConnection = HubConnection<T> && ByteConnection<T> && std::same_as<typename T::Socket, TcpSocket>;

#ifdef HUBBUB_HAS_TLS
inline namespace with_tls {  // so that it is never taken for the one of a file that was compiled without
#endif

/// A whole server for who has none: listeners, threads, pages and a hub. Who has one embeds a Hub instead.
///
/// Threading: `hub` and `stop` on any thread, everything else on the one that made it. `run` gives each loop a thread, the
/// first its own. Lifetime: not inside one of its handlers.
/// Errors: the constructor throws std::invalid_argument that names an option, or std::system_error that names an endpoint that
/// cannot be listened on, or a file that cannot be read.
/// Example:
///     hubbub::Server server{Chat{}, {.port = 8080}};
///     server.run_until_signal();
template <HubPolicy Policy = DefaultPolicy, SocketConnection Conn = TcpConnection>
class Server {
   public:
    using HubType = Hub<Conn, Policy>;

    /// Each thread gets a copy of the handler. Clients can connect from here on; they are served when it runs.
    template <HandlerFor<typename HubType::SessionType> Handler>
    explicit Server(Handler handler, ServerOptions<Policy> options = {});
    ~Server() {
        for (auto& loop : loops_) loop->claim();  // no thread runs them any more
    }
    Server(Server const&) = delete;
    Server& operator=(Server const&) = delete;

    HubType& hub() noexcept { return *hub_; }
    /// Pages on the same ports; to be added before it runs. Everything else is 404.
    http::Routes& routes() noexcept { return *routes_; }
    /// Where the first listener is, with the port that the system chose.
    Endpoint const& endpoint() const noexcept { return acceptors_.front().endpoint(); }
    std::uint16_t port() const noexcept { return endpoint().port(); }

#ifdef HUBBUB_HAS_TLS
    /// To load certificates again and to read its counts; null where ServerOptions has no certificate.
    TlsContext* tls() noexcept { return tls_ ? &*tls_ : nullptr; }
#endif

    /// Serves until `stop`, and until the last client has gone by that. Once.
    void run();
    /// The same until SIGINT or SIGTERM, of which a second one ends it at once.
    void run_until_signal();
    /// Refuses new clients, closes the sessions as `ServerOptions::drain` says, then lets `run` return. Idempotent.
    void stop() {
        asio::post(*contexts_.front(), [this] { drain(); });
    }

   private:
    void listen(std::string_view where);
    void set_tls(TlsOptions const& given);
    TcpSocket wrap(TcpSocket socket) {
#ifdef HUBBUB_HAS_TLS
        return tls_->wrap(std::move(socket));
#else
        return socket;
#endif
    }
    void drain();
    void end() {
        for (auto& context : contexts_) context->stop();
    }

    DrainOptions drain_;
    std::shared_ptr<http::Routes> routes_;
    std::vector<std::unique_ptr<asio::io_context>> contexts_;
    std::vector<std::unique_ptr<AsioLoop>> loops_;
    std::optional<HubType> hub_;
    std::vector<TcpAcceptor> acceptors_;
#ifdef HUBBUB_HAS_TLS
    std::optional<TlsContext> tls_;
#endif
    bool has_tls_ = false;
    bool is_draining_ = false;
};

template <class Handler>
Server(Handler, ServerOptions<>) -> Server<>;
template <class Handler>
Server(Handler) -> Server<>;

template <HubPolicy Policy, SocketConnection Conn>
template <HandlerFor<typename Server<Policy, Conn>::HubType::SessionType> Handler>
Server<Policy, Conn>::Server(Handler handler, ServerOptions<Policy> options)
    : drain_(std::move(options.drain)), routes_(options.hub.routes ? options.hub.routes : std::make_shared<http::Routes>()) {
    unsigned const threads = options.threads ? options.threads : std::clamp(std::thread::hardware_concurrency(), 1u, 64u);
    if (threads > 64) detail::throw_exception(std::invalid_argument("ServerOptions::threads is at most 64"));
    std::vector<ShardLoop*> pointers;
    for (unsigned i = 0; i < threads; ++i) {
        contexts_.push_back(std::make_unique<asio::io_context>(1));
        pointers.push_back(loops_.emplace_back(std::make_unique<AsioLoop>(*contexts_.back())).get());
    }
    options.hub.routes = routes_;
    hub_.emplace(pointers, std::move(handler), std::move(options.hub), options.driver);
    set_tls(options.tls);
    bool const is_ipv6 = options.address.find(':') != std::string::npos;
    listen((is_ipv6 ? "[" + options.address + "]" : options.address) + ":" + std::to_string(options.port));
    for (std::string const& each : options.listen) listen(each);
}

template <HubPolicy Policy, SocketConnection Conn>
void Server<Policy, Conn>::set_tls(TlsOptions const& given) {
    if (given.certificate.empty()) {
        if (!given.key.empty())
            detail::throw_exception(std::invalid_argument("ServerOptions::tls has a key and no certificate"));
        return;
    }
#ifdef HUBBUB_HAS_TLS
    TlsOptions options = given;
    if constexpr (!requires { Policy::EventSink::is_deaf; })
        if (!options.on_failure)
            options.on_failure = [this](PeerAddress const& peer, std::string_view why) {
                hub_->report("tls_failed", peer.to_string() + ": " + std::string(why));
            };
    tls_.emplace(std::move(options));
    has_tls_ = true;
#else
    detail::throw_exception(std::invalid_argument("ServerOptions::tls: this program was built without TLS; link hubbub::tls"));
#endif
}

template <HubPolicy Policy, SocketConnection Conn>
void Server<Policy, Conn>::listen(std::string_view where) {
    bool is_tls = has_tls_;
    std::string_view rest = where;
    for (auto const& [prefix, wants_tls] : {std::pair{std::string_view("tls:"), true}, {std::string_view("plain:"), false}}) {
        if (!where.starts_with(prefix)) continue;
        rest.remove_prefix(prefix.size());
        is_tls = wants_tls;
    }
    if (is_tls && !has_tls_)
        detail::throw_exception(std::invalid_argument("ServerOptions::listen: \"" + std::string(where) +
                                                      "\" needs ServerOptions::tls with a certificate"));
    Endpoint const endpoint(rest);
    TcpAcceptor::Options options;
    options.on_trouble = [this](std::string_view what, std::error_code error) {
        hub_->report("accepting", error ? std::string(what) + ": " + error.message() : std::string(what));
    };
    TcpAcceptor& acceptor = acceptors_.emplace_back(endpoint, std::move(options));
    for (std::size_t i = 0; i < loops_.size(); ++i)  // the system spreads who comes over the loops
        acceptor.serve(hub_->driver(i), [this, i, is_tls](TcpSocket socket) {
            hub_->adopt(is_tls ? wrap(std::move(socket)) : std::move(socket), std::string(), i);
        });
}

template <HubPolicy Policy, SocketConnection Conn>
void Server<Policy, Conn>::run() {
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < contexts_.size(); ++i) threads.emplace_back([&context = *contexts_[i]] { context.run(); });
    contexts_.front()->run();
    for (auto& thread : threads) thread.join();
}

template <HubPolicy Policy, SocketConnection Conn>
void Server<Policy, Conn>::run_until_signal() {
    // With the executor's own type: the default, which erases it, costs a tenth of what a server takes to compile.
    asio::basic_signal_set<asio::io_context::executor_type> signals(*contexts_.front(), SIGINT, SIGTERM);
    signals.async_wait([&](std::error_code error, int) {
        if (error) return;
        drain();
        signals.async_wait([this](std::error_code again, int) {
            if (!again) end();
        });
    });
    run();
}

template <HubPolicy Policy, SocketConnection Conn>
void Server<Policy, Conn>::drain() {
    if (std::exchange(is_draining_, true)) return;
    for (TcpAcceptor& acceptor : acceptors_) acceptor.close();
    hub_->drain(drain_, [this] { end(); });
}

#ifdef HUBBUB_HAS_TLS
}  // namespace with_tls
#endif
}  // namespace hubbub::inline v0
