#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <concepts>
#include <csignal>
#include <cstdint>
#include <exception>
#include <functional>
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

#include <hubbub/core/clock.hpp>
#include <hubbub/core/completes.hpp>
#include <hubbub/core/exceptions.hpp>
#include <hubbub/hub/hub.hpp>
#include <hubbub/server/handover_offer.hpp>
#include <hubbub/server/server_listeners.hpp>
#include <hubbub/server/server_options.hpp>
#include <hubbub/server/service_notifier.hpp>
#include <hubbub/server/service_watchdog.hpp>
#include <hubbub/server/takeover.hpp>
#include <hubbub/transport/socket/tls_options.hpp>
#include <hubbub/transport/tcp/asio_loop.hpp>
#include <hubbub/transport/tcp/tcp_acceptor.hpp>
#include <hubbub/transport/tcp/tcp_connection.hpp>
#ifdef HUBBUB_HAS_TLS
#include <hubbub/transport/tls/tls_context.hpp>
#endif

namespace hubbub::inline v0 {

/// How `Server::run_until_signal` ended.
enum class ServerEnd : std::uint8_t {
    drained,      ///< all clients have gone, or the time of the drain was over
    interrupted,  ///< a second signal ended it while it drained
};

/// What a server accepts: TcpConnection, or what is made of it, such as WebsocketppConnection<TcpConnection>.
template <class T>
concept SocketConnection = HubConnection<T> && ByteConnection<T> && std::same_as<typename T::Socket, TcpSocket>;

#ifdef HUBBUB_HAS_TLS
inline namespace with_tls {  // so that it is never taken for the one of a file that was compiled without
#endif

/// A whole server for who has none: listeners, threads, pages and a hub. Who has one embeds a Hub instead.
///
/// Threading: `hub`, `stop` and `reload` on any thread, everything else on the one that made it. `run` gives each loop a thread, the
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
    Endpoint const& endpoint() const noexcept { return listeners_.first(); }
    std::uint16_t port() const noexcept { return endpoint().port(); }

#ifdef HUBBUB_HAS_TLS
    /// To load certificates again and to read its counts; null where ServerOptions has no certificate.
    TlsContext* tls() noexcept { return tls_ ? &*tls_ : nullptr; }
#endif

    /// Serves until `stop`, or until another process has taken over, and until the last client has gone by that. Once.
    ///
    /// Errors: what Takeover throws where the process before does not hand over; that one goes on then.
    void run();
    /// The same until SIGINT or SIGTERM, of which a second one ends it at once. SIGHUP does `reload`, where there is something to load, and
    /// SIGUSR1 calls `ServerOptions::on_dump`, if there is one.
    ServerEnd run_until_signal();
    /// Loads certificates again and calls `ServerOptions::on_reload`. The EventSink hears `reloaded`, or `reload_failed` and
    /// why; certificates that are wrong change nothing.
    void reload() {
        asio::post(*contexts_.front(), [this] { reload_now(); });
    }
    /// Refuses new clients, closes the sessions as `ServerOptions::drain` says, then lets `run` return. Idempotent.
    void stop() {
        asio::post(*contexts_.front(), [this] { drain(); });
    }

   private:
    using Signals = asio::basic_signal_set<asio::io_context::executor_type>;

    void listen(std::string_view where);
    void set_tls(TlsOptions const& given);
    TcpSocket wrap(TcpSocket socket) {
#ifdef HUBBUB_HAS_TLS
        return tls_->wrap(std::move(socket));
#else
        return socket;
#endif
    }
    void take_over();
    void serve();
    void await_loops();
    void be_ready();
    void hand_over();
    void await_handshakes(TimePoint patience, int times_without);
    void answer(Signals& requests);
    void reload_now();
    void drain();
    void end() {
        for (auto& context : contexts_) context->stop();
    }

    DrainOptions drain_;
    ServiceNotifier service_;
    std::function<void(Endpoint const&)> on_ready_;
    std::function<void()> on_reload_, on_dump_;
    std::shared_ptr<http::Routes> routes_;
    std::vector<std::unique_ptr<asio::io_context>> contexts_;
    std::vector<std::unique_ptr<AsioLoop>> loops_;
    std::optional<HubType> hub_;
    detail::ServerListeners listeners_;
    std::optional<Takeover> takeover_;
    std::optional<HandoverOffer> offer_;  // from `run` to the end of it
    std::optional<AsioLoop::Timer> pause_;
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
    : drain_(std::move(options.drain)),
      service_(std::move(options.service)),
      on_ready_(std::move(options.on_ready)),
      on_reload_(std::move(options.on_reload)),
      on_dump_(std::move(options.on_dump)),
      routes_(options.hub.routes ? options.hub.routes : std::make_shared<http::Routes>()) {
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
    if (options.address.empty() && options.listen.empty())
        detail::throw_exception(std::invalid_argument("ServerOptions::address and ServerOptions::listen are empty"));
    if (!options.handover.empty()) takeover_.emplace(options.handover);
    bool const is_ipv6 = options.address.find(':') != std::string::npos;
    if (!options.address.empty())
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
    TcpAcceptor::Options options;
    options.on_trouble = [this](std::string_view what, std::error_code error) {
        hub_->report("accepting", error ? std::string(what) + ": " + error.message() : std::string(what));
    };
    listeners_.open(where, has_tls_, takeover_ ? &*takeover_ : nullptr, std::move(options));
}

template <HubPolicy Policy, SocketConnection Conn>
void Server<Policy, Conn>::run() {
    if (takeover_) take_over();
    serve();
    std::vector<ShardLoop*> loops;
    for (auto const& each : loops_) loops.push_back(each.get());
    ServiceWatchdog const watchdog(service_, *loops_.front(), loops);
    await_loops();
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < contexts_.size(); ++i) threads.emplace_back([&context = *contexts_[i]] { context.run(); });
    contexts_.front()->run();
    for (auto& thread : threads) thread.join();
    offer_.reset();
}

/// The process before serves its clients until this one is as good as it is: also its broker is there, unless that cannot be reached.
template <HubPolicy Policy, SocketConnection Conn>
void Server<Policy, Conn>::take_over() {
    using namespace std::chrono_literals;
    if (takeover_->found())
        for (int i = 0; i < 500 && !hub_->backplane().continuous; ++i) std::this_thread::sleep_for(10ms);
    takeover_->ready();
    listeners_.own();
    offer_.emplace(hub_->driver(0), std::move(*takeover_), listeners_.to_hand_over(), [this] { hand_over(); });
    takeover_.reset();
}

template <HubPolicy Policy, SocketConnection Conn>
void Server<Policy, Conn>::serve() {
    for (auto& listener : listeners_.all())
        for (std::size_t i = 0; i < loops_.size(); ++i)  // the system spreads who comes over the loops
            listener.acceptor.serve(hub_->driver(i), [this, i, is_tls = listener.is_tls](TcpSocket socket) {
                hub_->adopt(is_tls ? wrap(std::move(socket)) : std::move(socket), std::string(), i);
            });
}

/// Ready is who accepts on every loop.
template <HubPolicy Policy, SocketConnection Conn>
void Server<Policy, Conn>::await_loops() {
    auto const left = std::make_shared<std::atomic<std::size_t>>(contexts_.size());
    for (auto& context : contexts_)
        asio::post(*context, [this, left] {
            if (left->fetch_sub(1) == 1) asio::post(*contexts_.front(), [this] { be_ready(); });
        });
}

template <HubPolicy Policy, SocketConnection Conn>
void Server<Policy, Conn>::be_ready() {
    if (is_draining_) return;
    service_.ready();
    if (on_ready_ && !completes([&] { on_ready_(endpoint()); })) hub_->report("ready_failed", "it threw");
}

/// Another process accepts. Who was accepted here may still be shaking hands, and a drain would refuse him.
template <HubPolicy Policy, SocketConnection Conn>
void Server<Policy, Conn>::hand_over() {
    using namespace std::chrono_literals;
    if (is_draining_) return;
    hub_->report("handed_over", "");
    listeners_.leave([this] { asio::post(*contexts_.front(), [this] { await_handshakes(loops_.front()->now() + 2s, 0); }); });
}

/// Twice in a row there have to be none: one may be on its way from shard to shard.
template <HubPolicy Policy, SocketConnection Conn>
void Server<Policy, Conn>::await_handshakes(TimePoint patience, int times_without) {
    hub_->collect([this, patience, times_without](HubSnapshot const& hub) {
        bool const is_quiet =
            std::all_of(hub.shards.begin(), hub.shards.end(), [](auto const& each) { return each.handshakes == 0; });
        asio::post(*contexts_.front(), [this, patience, times = is_quiet ? times_without + 1 : 0] {
            AsioLoop& loop = *loops_.front();
            if (is_draining_) return;
            if (times == 2 || loop.now() >= patience) return drain();
            pause_.emplace(loop.executor());
            pause_->expires_after(std::chrono::milliseconds(20));
            loop.wait_in_loop(*pause_, AsioLoop::WaitHandler{[this, patience, times](std::error_code error) {
                if (!error) await_handshakes(patience, times);
            }});
        });
    });
}

template <HubPolicy Policy, SocketConnection Conn>
ServerEnd Server<Policy, Conn>::run_until_signal() {
    // With the executor's own type: the default, which erases it, costs a tenth of what a server takes to compile.
    Signals signals(*contexts_.front(), SIGINT, SIGTERM), requests(*contexts_.front());
    ServerEnd how = ServerEnd::drained;
    signals.async_wait([&](std::error_code error, int) {
        if (error) return;
        drain();
        signals.async_wait([&](std::error_code again, int) {
            if (again) return;
            how = ServerEnd::interrupted;
            end();
        });
    });
    if (has_tls_ || on_reload_) requests.add(SIGHUP);
    if (on_dump_) requests.add(SIGUSR1);
    answer(requests);
    run();
    return how;
}

template <HubPolicy Policy, SocketConnection Conn>
void Server<Policy, Conn>::answer(Signals& requests) {
    requests.async_wait([this, &requests](std::error_code error, int signal) {
        if (error) return;
        if (signal == SIGHUP)
            reload_now();
        else if (!completes(on_dump_))
            hub_->report("dump_failed", "it threw");
        answer(requests);
    });
}

template <HubPolicy Policy, SocketConnection Conn>
void Server<Policy, Conn>::reload_now() {
    service_.reloading();
    std::string problem = "it threw what is no std::exception";
    bool const completed = completes([&] {
        detail::attempt<std::exception>(
            [&] {
#ifdef HUBBUB_HAS_TLS
                if (tls_) tls_->reload();
#endif
                if (on_reload_) on_reload_();
                problem.clear();
            },
            [&](std::exception const& error) { problem = error.what(); });
    });
    if (completed && problem.empty())
        hub_->report("reloaded", "");
    else
        hub_->report("reload_failed", std::move(problem));
    service_.ready();
}

template <HubPolicy Policy, SocketConnection Conn>
void Server<Policy, Conn>::drain() {
    if (std::exchange(is_draining_, true)) return;
    service_.stopping();
    // Who is about to take over has the sockets already: to end them here would end them there.
    if (offer_ && offer_->has_guest()) listeners_.leave([] {});
    listeners_.close();
    offer_.reset();
    hub_->drain(drain_, [this] { end(); });
}

#ifdef HUBBUB_HAS_TLS
}  // namespace with_tls
#endif
}  // namespace hubbub::inline v0
