#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>

#include <hubbub/core/identity.hpp>
#include <hubbub/core/peer_address.hpp>
#include <hubbub/http/request_parser.hpp>
#include <hubbub/transport/socket/endpoint.hpp>
#include <hubbub/transport/websocketpp/adopted_link.hpp>
#include <hubbub/ws/decoder.hpp>

namespace hubbub::inline v0 {

template <class Con>
class AdoptedConnection;

/// An open connection of a websocketpp endpoint on its way to a hub. From here on the hub gets its messages.
///
/// Threading: made inside a handler of the connection, best its open handler, so that no message is missed; then handed from thread to
/// thread.
/// Lifetime: destroyed without having come to a hub, it closes the connection with 1001.
template <class Con>
class AdoptedSocket {
   public:
    AdoptedSocket() = default;  ///< none
    AdoptedSocket(typename Con::ptr connection, AdoptOptions options = {});
    AdoptedSocket(AdoptedSocket&&) noexcept = default;
    AdoptedSocket& operator=(AdoptedSocket&& other) noexcept {
        std::swap(link_, other.link_);
        std::swap(peer_, other.peer_);
        return *this;
    }
    ~AdoptedSocket() {
        if (link_) link_->post(detail::AdoptedTask::leave);
    }

    PeerAddress const& peer() const noexcept { return peer_; }

    // ---- what a hub asks, still inside that handler

    /// The limit of the hub or the endpoint's, whichever is less. websocketpp counts bytes but no fragments.
    void limit(ws::DecoderLimits const& limits) {
        if (auto const connection = link_->connection())
            connection->set_max_message_size(std::min(connection->get_max_message_size(), limits.message));
    }
    Identity take_identity() { return link_->take_identity(); }
    std::string protocol() const {
        auto const connection = link_->connection();
        return connection ? connection->get_subprotocol() : std::string();
    }
    /// As hubbub's own parser reads it. One that it refuses and websocketpp took is without a line.
    http::Request request(http::ParserLimits const& limits) const;

   private:
    using Link = detail::AdoptedLink<Con>;
    friend class AdoptedConnection<Con>;

    AdoptedSocket(std::shared_ptr<Link> link, PeerAddress const& peer) : link_(std::move(link)), peer_(peer) {}

    std::shared_ptr<Link> link_;
    PeerAddress peer_;
};

template <class Con>
AdoptedSocket<Con>::AdoptedSocket(typename Con::ptr connection, AdoptOptions options) {
    link_ = std::make_shared<Link>(*connection, std::move(options));
    link_->install(*connection);
    auto& socket = connection->get_raw_socket();
    peer_ = peer_address(socket.native_handle());
    websocketpp::lib::asio::error_code ignored;  // a turn is one write already
    socket.set_option(websocketpp::lib::asio::ip::tcp::no_delay(true), ignored);
    // The draft before RFC 6455 knows no version and has other frames.
    if (connection->get_request_header("Sec-WebSocket-Version").empty()) link_->post(detail::AdoptedTask::reset);
}

template <class Con>
http::Request AdoptedSocket<Con>::request(http::ParserLimits const& limits) const {
    auto const connection = link_->connection();
    if (!connection) return {};
    std::string const raw = connection->get_request().raw();
    http::RequestParser parser(limits);
    if (parser.feed(std::as_bytes(std::span(raw))).state != http::RequestParser::State::complete) return {};
    return std::move(parser).take();
}

}  // namespace hubbub::inline v0
