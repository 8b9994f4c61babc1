#pragma once

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/tcp/asio_loop.hpp>
#include <hubbub/transport/tcp/tcp_acceptor.hpp>
#include <hubbub/transport/tcp/tcp_connection.hpp>

#include "tests/conformance/echo_handler.hpp"
#include "tests/conformance/run.hpp"
#include "tests/support/tcp_hub.hpp"

namespace conformance {

/// A hub on a thread of its own.
template <class Conn, hubbub::HubPolicy Policy = hubbub::DefaultPolicy>
class EchoServer {
   public:
    using Wrap = std::function<hubbub::TcpSocket(hubbub::TcpSocket)>;

    EchoServer(
        ServerOptions const& options, hubbub::EngineKind engine, Wrap wrap = [](hubbub::TcpSocket socket) { return socket; })
        : loop_(context_),
          hub_(loop_, EchoHandler{}, hub_options<Policy>(options), driver_options(engine)),
          acceptor_(hubbub::Endpoint{"127.0.0.1:0"}) {
        acceptor_.serve(hub_.driver(0),
                        [this, wrap = std::move(wrap)](hubbub::TcpSocket socket) { hub_.adopt(wrap(std::move(socket))); });
        thread_ = std::thread([this] {
            auto const work = asio::make_work_guard(context_);
            context_.run();
        });
    }
    ~EchoServer() {
        context_.stop();
        thread_.join();
        loop_.claim();
    }
    std::uint16_t port() const { return acceptor_.port(); }

   private:
    static hubbub::TcpDriver::Options driver_options(hubbub::EngineKind engine) {
        hubbub::TcpDriver::Options options;
        options.engine = engine;
        return options;
    }

    asio::io_context context_{1};
    hubbub::AsioLoop loop_;
    hubbub::Hub<Conn, Policy> hub_;
    hubbub::TcpAcceptor acceptor_;
    std::thread thread_;
};

/// Over TCP, or a connection that is made of it.
template <class Conn, hubbub::HubPolicy Policy = hubbub::DefaultPolicy>
class TcpEcho {
   public:
    explicit TcpEcho(hubbub::EngineKind engine) : engine_(engine) {}

    void connect(ServerOptions const& options) {
        auto& server = servers_[{options.message, options.fragments, options.takeover}];
        if (!server) server = std::make_unique<EchoServer<Conn, Policy>>(options, engine_);
        socket_ = asio::ip::tcp::socket(context_);
        socket_.connect({asio::ip::make_address("127.0.0.1"), server->port()});
        socket_.set_option(asio::ip::tcp::no_delay(true));
        came_.clear();
        ended_ = refused_ = false;
    }
    void send(std::string_view bytes) {
        while (!bytes.empty() && !refused_) {
            short const ready = wait(POLLOUT | (ended_ ? 0 : POLLIN));
            if (ready & POLLIN) take();
            if (!(ready & (POLLOUT | POLLERR | POLLHUP))) continue;
            auto const sent = ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent < 0 && errno != EAGAIN) refused_ = true;
            if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    std::optional<std::string> receive() {
        while (came_.empty() && !ended_) {
            wait(POLLIN);
            take();
        }
        if (came_.empty()) return std::nullopt;
        return std::exchange(came_, {});
    }

   private:
    short wait(int events) {
        pollfd descriptor{socket_.native_handle(), static_cast<short>(events), 0};
        if (::poll(&descriptor, 1, 20'000) <= 0) throw std::runtime_error("nothing came for 20 s");
        return descriptor.revents;
    }
    void take() {
        char buffer[65536];
        auto const got = ::recv(socket_.native_handle(), buffer, sizeof buffer, MSG_DONTWAIT);
        if (got > 0) came_.append(buffer, static_cast<std::size_t>(got));
        if (got == 0 || (got < 0 && errno != EAGAIN)) ended_ = true;
    }

    hubbub::EngineKind engine_;
    std::map<std::tuple<std::size_t, std::uint32_t, bool>, std::unique_ptr<EchoServer<Conn, Policy>>> servers_;
    asio::io_context context_;
    asio::ip::tcp::socket socket_{context_};
    std::string came_;
    bool ended_ = false, refused_ = false;
};

}  // namespace conformance
