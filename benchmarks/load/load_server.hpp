#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>

#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/tcp/asio_loop.hpp>
#include <hubbub/transport/tcp/tcp_acceptor.hpp>
#include <hubbub/transport/tcp/tcp_connection.hpp>
#ifdef HUBBUB_HAS_TLS
#include <hubbub/transport/tls/tls_context.hpp>
#endif

#include "arguments.hpp"

namespace load {

using std::chrono::milliseconds;

struct Echo : hubbub::NoopHandler {
    void on_message(auto& session, hubbub::MessageView message) { session.send(message); }
};
struct Broadcast : hubbub::NoopHandler {
    bool is_keyed = false;

    void on_open(auto& session) { session.subscribe("all"); }
    void on_message(auto& session, hubbub::MessageView message) {
        if (!is_keyed || message.size() < 4) {
            session.publish("all", message);
            return;
        }
        std::uint32_t first = 0;
        std::memcpy(&first, message.payload().data(), sizeof first);
        session.publish("all", message, {.key = std::uint64_t{first} + 1});
    }
};

inline std::string to_json(hubbub::ShardSnapshot const& sums) {
    std::string json = "{";
    auto const add = [&json](std::string_view name, auto value) {
        json.append(json.size() == 1 ? "\"" : ", \"").append(name).append("\": ").append(std::to_string(value));
    };
    add("deliveries", sums.delivery.deliveries);
    add("written", sums.delivery.written);
    char const* const reasons[hubbub::drop_reasons] = {"slow_consumer", "superseded", "expired", "session_closed"};
    for (std::size_t i = 0; i < hubbub::drop_reasons; ++i) add(reasons[i], sums.delivery.dropped[i]);
    add("pending", sums.pending);
    add("received", sums.received);
    add("writes", sums.writes);
    add("opened", sums.opened);
    add("closed", sums.closed);
    add("sessions", sums.sessions);
    add("handshakes", sums.handshakes);
    std::uint64_t refused = 0;
    for (std::uint64_t const each : sums.refused) refused += each;
    add("refused", refused);
    add("callbacks_threw", sums.callbacks_threw);
    add("topics", sums.topics);
    add("pooled_bytes", sums.pooled_bytes);
    add("memory_of_queues", sums.memory_of_queues);
    add("memory_of_inbound", sums.memory_of_inbound);
    add("shed", sums.shed);
    add("throttled", sums.throttled);
    add("compressed", sums.compression.compressed);
    add("inflated", sums.compression.inflated);
    add("compression_bytes", sums.compression.bytes);
    add("loop_lag_us", sums.loop_lag.count());
    add("round_trip_ms", sums.round_trip.count());
    return json + "}";
}

/// A hub over that kind of connection, its loops and its listener.
template <class Conn, class Policy = LoadPolicy>
class Server {
   public:
    explicit Server(Arguments const& arguments);
    void run();

   private:
    using Hub = hubbub::Hub<Conn, Policy>;

    static hubbub::Endpoint endpoint(Arguments const& arguments) {
        if (arguments.address.starts_with("unix:")) return hubbub::Endpoint{arguments.address};
        bool const is_bare_ipv6 = arguments.address.find(':') != std::string::npos && arguments.address.front() != '[';
        std::string const address = is_bare_ipv6 ? "[" + arguments.address + "]" : arguments.address;
        return hubbub::Endpoint{address + ":" + std::to_string(arguments.port)};
    }
    static hubbub::TcpAcceptor::Options acceptor_options(Arguments const& arguments) {
        hubbub::TcpAcceptor::Options options;
        options.send_buffer = arguments.send_buffer;
        options.unsent = arguments.unsent;
        options.on_trouble = [](std::string_view what, std::error_code error) {
            std::cerr << "hubbub_load_server: " << what << (error ? ": " + error.message() : std::string()) << std::endl;
        };
        return options;
    }
    void accept(hubbub::TcpSocket socket, std::size_t shard) {
#ifdef HUBBUB_HAS_TLS
        if (tls_) socket = tls_->wrap(std::move(socket));
#endif
        hub_->adopt(std::move(socket), std::string{}, shard);
    }
    void print_snapshot_on_signal();
    void drain_when_quiet();
    void drain();
    void stop() {
        for (auto& context : contexts_) context->stop();
    }

    static constexpr milliseconds look{100}, longest_wait{2000};

    bool prints_snapshots_;
    std::vector<std::unique_ptr<asio::io_context>> contexts_;
    std::vector<std::unique_ptr<hubbub::AsioLoop>> loops_;
    std::unique_ptr<Hub> hub_;
    hubbub::TcpAcceptor acceptor_;
#ifdef HUBBUB_HAS_TLS
    std::optional<hubbub::TlsContext> tls_;
#endif
    std::optional<asio::signal_set> end_signals_, snapshot_signals_;
    std::optional<asio::steady_timer> timer_;
    milliseconds waited_{0};
    std::uint64_t received_ = 0;  // at the last look
    int quiet_looks_ = 0;
};

template <class Conn, class Policy>
Server<Conn, Policy>::Server(Arguments const& arguments)
    : prints_snapshots_(arguments.snapshot), acceptor_(endpoint(arguments), acceptor_options(arguments)) {
#ifdef HUBBUB_HAS_TLS
    if (!arguments.tls.empty()) tls_.emplace(hubbub::TlsOptions{.certificate = arguments.tls, .key = arguments.tls});
#endif
    std::vector<hubbub::ShardLoop*> pointers;
    for (unsigned i = 0; i < arguments.threads; ++i) {
        contexts_.push_back(std::make_unique<asio::io_context>(1));
        loops_.push_back(std::make_unique<hubbub::AsioLoop>(*contexts_.back()));
        pointers.push_back(loops_.back().get());
    }
    hubbub::TcpDriver::Options driver;
    driver.engine = arguments.engine;
    Broadcast broadcast;
    broadcast.is_keyed = arguments.hub.topics.on_full == hubbub::OverflowAction::replace_key;
    auto const options = arguments.hub_with<Policy>();
    hub_ = arguments.mode == "echo" ? std::make_unique<Hub>(pointers, Echo{}, options, driver)
                                    : std::make_unique<Hub>(pointers, broadcast, options, driver);
    if (arguments.engine == hubbub::EngineKind::uring && hub_->driver(0).engine_name() != "uring")
        throw std::runtime_error("--engine uring does not run here: " + std::string(hub_->driver(0).engine_remark()));
    for (std::size_t i = 0; i < hub_->shard_count(); ++i)
        acceptor_.serve(hub_->driver(i), [this, i](hubbub::TcpSocket socket) { accept(std::move(socket), i); });
    timer_.emplace(*contexts_[0]);
    end_signals_.emplace(*contexts_[0], SIGINT, SIGTERM);
    end_signals_->async_wait([this](std::error_code error, int) {
        if (error) return;
        acceptor_.close();
        drain_when_quiet();
    });
    if (prints_snapshots_) {
        snapshot_signals_.emplace(*contexts_[0], SIGUSR1);
        print_snapshot_on_signal();
    }
}

template <class Conn, class Policy>
void Server<Conn, Policy>::print_snapshot_on_signal() {
    snapshot_signals_->async_wait([this](std::error_code error, int) {
        if (error) return;
        hub_->collect([](hubbub::HubSnapshot const& all) { std::cout << to_json(all.total()) << std::endl; });
        print_snapshot_on_signal();
    });
}

/// What is on its way to us belongs to who sent it before the end was known: it is read and delivered, for a moment.
template <class Conn, class Policy>
void Server<Conn, Policy>::drain_when_quiet() {
    hub_->collect([this](hubbub::HubSnapshot const& all) {
        // On the loop that was last; the rest belongs to the first one.
        asio::post(*contexts_[0], [this, received = all.total().received] {
            quiet_looks_ = received == received_ && waited_.count() ? quiet_looks_ + 1 : 0;
            received_ = received;
            if (quiet_looks_ == 2 || waited_ >= longest_wait) return drain();
            waited_ += look;
            timer_->expires_after(look);
            timer_->async_wait([this](std::error_code) { drain_when_quiet(); });
        });
    });
}

template <class Conn, class Policy>
void Server<Conn, Policy>::drain() {
    hub_->drain({.code = hubbub::CloseCode::service_restart,
                 .reason = "the server goes away",
                 .per_second = 10'000,
                 .deadline = milliseconds(7000)},
                [this] {
                    if (!prints_snapshots_) return stop();
                    hub_->collect([this](hubbub::HubSnapshot const& all) {
                        std::cout << to_json(all.total()) << std::endl;
                        stop();
                    });
                });
}

template <class Conn, class Policy>
void Server<Conn, Policy>::run() {
    std::cout << "listening on port " << acceptor_.port() << std::endl;
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < contexts_.size(); ++i) threads.emplace_back([&context = *contexts_[i]] { context.run(); });
    contexts_[0]->run();
    for (auto& thread : threads) thread.join();
    for (auto& loop : loops_) loop->claim();  // the hub is destroyed here, so this is the thread of every loop now
    hub_.reset();
}

}  // namespace load
