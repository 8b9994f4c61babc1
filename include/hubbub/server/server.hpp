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
#include <hubbub/transport/tcp/asio_loop.hpp>
#include <hubbub/transport/tcp/tcp_acceptor.hpp>
#include <hubbub/transport/tcp/tcp_connection.hpp>

namespace hubbub::inline v0 {

/// Where a Server listens, on how many threads, and what its hub is like.
template <HubPolicy Policy = DefaultPolicy>
struct ServerOptions {
    std::string address = "127.0.0.1";  ///< "0.0.0.0" or "::" for everybody; without a name
    std::uint16_t port = 8080;          ///< 0: the system chooses, and `Server::port` tells
    std::vector<std::string> listen{};  ///< further endpoints, such as "unix:/run/hub.sock"; see Endpoint
    unsigned threads = 0;               ///< loops, and shards of the hub, at most 64; 0 for one a core
    HubOptions<Policy> hub{};
    TcpDriver::Options driver{};  ///< which engine
    DrainOptions drain{};         ///< how it ends
};

/// What a server accepts: TcpConnection, or what is made of it, such as WebsocketppConnection<TcpConnection>.
template <class T>
concept SocketConnection = HubConnection<T> && ByteConnection<T> && std::same_as<typename T::Socket, TcpSocket>;

/// A whole server for who has none: listeners, threads, pages and a hub. Who has one embeds a Hub instead.
///
/// Threading: `hub` and `stop` on any thread, everything else on the one that made it. `run` gives each loop a thread, the
/// first its own. Lifetime: not inside one of its handlers.
/// Errors: the constructor throws std::invalid_argument that names an option, or std::system_error that names an endpoint that
/// cannot be listened on.
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

    /// Serves until `stop`, and until the last client has gone by that. Once.
    void run();
    /// The same until SIGINT or SIGTERM, of which a second one ends it at once.
    void run_until_signal();
    /// Refuses new clients, closes the sessions as `ServerOptions::drain` says, then lets `run` return. Idempotent.
    void stop() {
        asio::post(*contexts_.front(), [this] { drain(); });
    }

   private:
    void listen(Endpoint const& endpoint);
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
    bool const is_ipv6 = options.address.find(':') != std::string::npos;
    listen(Endpoint((is_ipv6 ? "[" + options.address + "]" : options.address) + ":" + std::to_string(options.port)));
    for (std::string const& each : options.listen) listen(Endpoint(each));
}

template <HubPolicy Policy, SocketConnection Conn>
void Server<Policy, Conn>::listen(Endpoint const& endpoint) {
    TcpAcceptor::Options options;
    options.on_trouble = [this](std::string_view what, std::error_code error) {
        hub_->report("accepting", error ? std::string(what) + ": " + error.message() : std::string(what));
    };
    TcpAcceptor& acceptor = acceptors_.emplace_back(endpoint, std::move(options));
    for (std::size_t i = 0; i < loops_.size(); ++i)  // the system spreads who comes over the loops
        acceptor.serve(hub_->driver(i), [this, i](TcpSocket socket) { hub_->adopt(std::move(socket), std::string(), i); });
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

}  // namespace hubbub::inline v0
