#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <hubbub/transport/websocketpp/websocketpp_config.hpp>
#include <hubbub/ws/close_code.hpp>
#include <hubbub/ws/utf8.hpp>

#include <websocketpp/connection.hpp>

namespace hubbub::inline v0 {

/// One `websocketpp::connection` as the reader of a stream: it gets the bytes of the peer, and says what they mean. It writes
/// nothing, because what a hub sends is framed already and has its order in the session's queue.
///
/// Threading: one thread at a time. Lifetime: it stays where it is made, since its handlers know its address.
/// Errors: the constructor throws std::bad_alloc.
/// Cost: about 3 KiB, and 20 allocations.
class WebsocketppEngine {
   public:
    using Connection = websocketpp::connection<WebsocketppConfig>;
    /// What came last. `failed`: there was no memory.
    enum class Event : std::uint8_t { none, message, ping, pong, close, violation, failed };

    /// As of a client whose handshake is over; longer messages than `most` bytes are a violation.
    explicit WebsocketppEngine(std::size_t most);
    WebsocketppEngine(WebsocketppEngine const&) = delete;
    WebsocketppEngine& operator=(WebsocketppEngine const&) = delete;

    /// Bytes of at most one frame; the event that they led to.
    Event read(std::span<std::byte const> bytes) noexcept;

    /// Of a message, ping or pong, until the next `read` or `forget`.
    std::span<std::byte const> payload() const noexcept { return std::as_bytes(std::span(std::as_const(*message_))); }
    /// Frees what the last message took.
    void forget() noexcept {
        whole_.reset();
        message_ = &control_;
    }
    /// Of a close or a violation.
    CloseCode code() const noexcept { return static_cast<CloseCode>(code_); }
    std::string_view reason() const noexcept { return reason_; }

   private:
    using Handle = websocketpp::connection_hdl;
    using Message = WebsocketppConfig::message_type;

    void note(Event event, std::string const& payload) {
        event_ = event;
        control_ = payload;
        message_ = &control_;
    }
    void note_end();

    std::shared_ptr<Connection> connection_;
    std::shared_ptr<Message> whole_;
    std::string control_;
    std::string const* message_ = &control_;
    std::string reason_;
    websocketpp::close::status::value code_ = 0;
    Event event_ = Event::none;
};

inline WebsocketppEngine::WebsocketppEngine(std::size_t most) {
    // Loggers without state and a generator that a server never asks serve all connections.
    static auto const log = std::make_shared<websocketpp::log::stub>();
    static WebsocketppConfig::rng_type random;
    // The hub has read and answered the client's request; this one gets websocketpp past its own handshake.
    static constexpr std::string_view request =
        "GET / HTTP/1.1\r\nHost: hub\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    connection_ = std::make_shared<Connection>(true, std::string(), log, log, std::ref(random));
    connection_->set_handle(connection_);
    connection_->set_write_handler([](Handle const&, char const*, std::size_t) { return std::error_code(); });
    connection_->set_message_handler([this](Handle const&, std::shared_ptr<Message> const& message) {
        event_ = Event::message;
        whole_ = message;
        message_ = &message->get_payload();
    });
    connection_->set_ping_handler([this](Handle const&, std::string const& payload) {
        note(Event::ping, payload);
        return false;  // the session answers
    });
    connection_->set_pong_handler([this](Handle const&, std::string const& payload) { note(Event::pong, payload); });
    connection_->set_max_message_size(most);
    connection_->start();
    connection_->read_all(request.data(), request.size());
}

inline WebsocketppEngine::Event WebsocketppEngine::read(std::span<std::byte const> bytes) noexcept {
    event_ = Event::none;
    forget();
    try {
        connection_->read_all(reinterpret_cast<char const*>(bytes.data()), bytes.size());
        if (connection_->get_state() != websocketpp::session::state::open) note_end();
    } catch (std::exception const&) {
        event_ = Event::failed;
    }
    return event_;
}

/// It has a Close in answer to what it read, which goes nowhere: the session says its own.
inline void WebsocketppEngine::note_end() {
    namespace status = websocketpp::close::status;
    auto const remote = connection_->get_remote_close_code(), local = connection_->get_local_close_code();
    // It repeats what a good Close says, and answers an empty one with 1000.
    bool const echoes = remote == status::no_status ? local == status::normal
                                                    : remote == local && connection_->get_remote_close_reason() ==
                                                                             connection_->get_local_close_reason();
    event_ = echoes ? Event::close : Event::violation;
    code_ = echoes ? remote : local;
    reason_ = echoes ? connection_->get_remote_close_reason() : connection_->get_local_close_reason();
    if (!echoes && !ws::is_valid_utf8(connection_->get_remote_close_reason()))
        code_ = status::invalid_payload;  // RFC 6455 8.1, where websocketpp says 1002
}

}  // namespace hubbub::inline v0
