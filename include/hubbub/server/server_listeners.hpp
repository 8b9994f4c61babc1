#pragma once

#include <atomic>
#include <charconv>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/server/handover_socket.hpp>
#include <hubbub/server/takeover.hpp>
#include <hubbub/transport/socket/endpoint.hpp>
#include <hubbub/transport/tcp/tcp_acceptor.hpp>

namespace hubbub::inline v0::detail {

/// All that a server listens on: what it has opened, was given, or has taken over.
class ServerListeners {
   public:
    struct Listener {
        TcpAcceptor acceptor;
        Endpoint wanted;  // with port 0 where the system chose
        bool is_tls;
        bool becomes_own;  // the process that had it before leaves it to this one
    };

    /// `where` is an item of ServerOptions::listen; `takeover` may be null.
    ///
    /// Errors: std::invalid_argument that quotes it, std::system_error that names the endpoint.
    void open(std::string_view where, bool has_tls, Takeover* takeover, TcpAcceptor::Options options);

    std::vector<Listener>& all() noexcept { return all_; }
    Endpoint const& first() const noexcept { return all_.front().acceptor.endpoint(); }

    /// The process that had them before serves them no more.
    void own() noexcept {
        for (Listener& each : all_)
            if (each.becomes_own) each.acceptor.own();
    }
    std::vector<HandoverSocket> to_hand_over() const {
        std::vector<HandoverSocket> sockets;
        for (Listener const& each : all_)
            sockets.push_back({each.acceptor.descriptor(), each.wanted, each.acceptor.is_shared()});
        return sockets;
    }
    void close() {
        for (Listener& each : all_) each.acceptor.close();
    }
    /// Leaves them to another process; `completion` runs on the loop that was last.
    void leave(std::function<void()> const& completion) {
        auto const left = std::make_shared<std::atomic<std::size_t>>(all_.size());
        for (Listener& each : all_)
            each.acceptor.leave([left, completion] {
                if (left->fetch_sub(1, std::memory_order_acq_rel) == 1) completion();
            });
    }

   private:
    /// The number in "fd:3".
    static std::optional<int> descriptor_in(std::string_view text) {
        if (!text.starts_with("fd:")) return std::nullopt;
        text.remove_prefix(3);
        int value = -1;
        auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc{} || end != text.data() + text.size() || value < 0)
            throw_exception(
                std::invalid_argument("ServerOptions::listen: \"fd:" + std::string(text) + "\" names no descriptor"));
        return value;
    }

    std::vector<Listener> all_;
};

inline void ServerListeners::open(std::string_view where, bool has_tls, Takeover* takeover, TcpAcceptor::Options options) {
    bool is_tls = has_tls;
    std::string_view rest = where;
    for (auto const& [prefix, wants_tls] : {std::pair{std::string_view("tls:"), true}, {std::string_view("plain:"), false}}) {
        if (!where.starts_with(prefix)) continue;
        rest.remove_prefix(prefix.size());
        is_tls = wants_tls;
    }
    if (is_tls && !has_tls)
        throw_exception(std::invalid_argument("ServerOptions::listen: \"" + std::string(where) +
                                              "\" needs ServerOptions::tls with a certificate"));
    if (auto const descriptor = descriptor_in(rest)) {
        auto acceptor = TcpAcceptor::adopt(*descriptor, std::move(options));
        Endpoint const endpoint = acceptor.endpoint();
        all_.push_back({std::move(acceptor), endpoint, is_tls, false});
        return;
    }
    Endpoint const endpoint(rest);
    auto const taken = takeover ? takeover->take(endpoint) : std::nullopt;
    all_.push_back(
        {taken ? TcpAcceptor::adopt(taken->descriptor, std::move(options)) : TcpAcceptor(endpoint, std::move(options)),
         endpoint, is_tls, taken && !taken->is_shared});
}

}  // namespace hubbub::inline v0::detail
