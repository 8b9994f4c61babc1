#pragma once

#include <hubbub/transport/websocketpp/compat.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include <websocketpp/connection.hpp>
#include <websocketpp/extensions/permessage_deflate/disabled.hpp>

#include <hubbub/transport/connection.hpp>
#include <hubbub/transport/websocketpp/adopted_driver.hpp>
#include <hubbub/transport/websocketpp/adopted_socket.hpp>
#include <hubbub/ws/close_payload.hpp>

namespace hubbub::inline v0 {

namespace detail {
template <class Extension>
struct IsNoDeflate : std::false_type {};
template <class Config>
struct IsNoDeflate<websocketpp::extensions::permessage_deflate::disabled<Config>> : std::true_type {};

template <class Con>
struct InflatesNothing;
template <class Config>
struct InflatesNothing<websocketpp::connection<Config>> : IsNoDeflate<typename Config::permessage_deflate_type> {};
}  // namespace detail

/// A connection of a `websocketpp::server` that goes on to run as it did, and whose messages are a hub's: `Con` is a
/// `websocketpp::connection<Config>` over Asio, with or without TLS. The endpoint may run on any number of threads.
///
/// What a session has queued leaves as one batch, and the next when websocketpp has written that, so its queue never holds more of the
/// hub's. `on_written` then means: written to the system, or to TLS. When websocketpp finds the connection lost while it writes, that
/// batch counts as written too.
///
/// When the peer closes, websocketpp answers at once, so what is queued then is dropped; and after a violation of the protocol, which
/// websocketpp finds and answers.
///
/// Lifetime: the endpoint's io_context outlives the hub, but where nobody runs the hub's loop any more. When the hub goes, open
/// connections are closed with 1001.
template <class Con>
class AdoptedConnection {
    static_assert(detail::InflatesNothing<Con>::value,
                  "hubbub: websocketpp's permessage-deflate inflates without a bound; let Config::permessage_deflate_type be "
                  "websocketpp::extensions::permessage_deflate::disabled<permessage_deflate_config>");

   public:
    using Driver = AdoptedDriver<Con>;
    using Socket = AdoptedSocket<Con>;

    AdoptedConnection(Driver& driver, Socket socket) : driver_(&driver), link_(std::move(socket.link_)), peer_(socket.peer_) {}
    AdoptedConnection(AdoptedConnection&& other) noexcept
        : driver_(other.driver_), link_(std::move(other.link_)), peer_(other.peer_) {
        if (link_) link_->forget_owner();
    }
    AdoptedConnection& operator=(AdoptedConnection&&) = delete;
    ~AdoptedConnection() { close(); }

    void start(MessageConnectionOwner& owner) { driver_->start(link_, owner); }
    WriteResult write(std::span<ws::Slice const> slices) {
        if (link_->is_over()) {
            link_->forget_owner();
            return {0, 0, true};
        }
        std::uint32_t size = 0;
        for (ws::Slice const& slice : slices) size += slice.length;
        link_->hold(size);
        driver_->send(link_, slices, size);
        return {0, size, false};
    }
    void send_ping(std::span<std::byte const> payload) { driver_->put(link_, detail::AdoptedTask::ping, payload); }
    void send_close(CloseCode code, std::string_view reason) {
        std::array<std::byte, ws::max_control_payload> payload;
        std::size_t const size = ws::encode_close_payload(payload, code, reason);
        driver_->put(link_, detail::AdoptedTask::close, std::span(payload).first(size));
    }
    void pause_reading() { link_->set_paused(true); }
    void resume_reading() { link_->set_paused(false); }
    /// websocketpp ends the connection itself.
    void shutdown() {}
    void close() { end(detail::AdoptedTask::leave); }
    void reset() { end(detail::AdoptedTask::reset); }
    Socket detach() {
        link_->detach(false);
        return Socket(std::exchange(link_, nullptr), peer_);
    }
    PeerAddress peer() const { return peer_; }

   private:
    void end(detail::AdoptedTask how) {
        if (!link_) return;
        link_->detach(true);
        driver_->put(std::exchange(link_, nullptr), how);
    }

    Driver* driver_;
    std::shared_ptr<detail::AdoptedLink<Con>> link_;
    PeerAddress peer_;
};

/// The connections of a server: `hubbub::Hub<hubbub::AdoptedWebsocketpp<Server>> hub{loop, Chat{}};`
template <class Server>
using AdoptedWebsocketpp = AdoptedConnection<typename Server::connection_type>;

}  // namespace hubbub::inline v0
