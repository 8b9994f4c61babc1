#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>

#include <hubbub/transport/connection.hpp>
#include <hubbub/ws/decoder.hpp>

namespace hubbub::inline v0 {

/// How a session hears its client when the connection brings bytes: it decodes them.
template <class Session>
class ByteInbound : public ByteConnectionOwner {
   public:
    void on_bytes(std::span<std::byte> bytes) noexcept final {
        if (!self().hears()) return self().on_unheard(bytes.empty());
        if (bytes.empty()) return self().on_lost();
        self().note_heard();
        if (self().is_paused()) {
            if (!decoder_.keep(bytes)) self().on_violation(CloseCode::internal_error, "out of memory");
            return;
        }
        decoder_.feed(bytes, self().decoder_limits(), Sink{self()});
        self().note_incomplete(decoder_.incomplete());
    }

   protected:
    ~ByteInbound() = default;
    /// What was kept while the session was paused.
    void resume_inbound() {
        if (!decoder_.stopped()) return;
        decoder_.resume(self().decoder_limits(), Sink{self()});
        self().note_incomplete(decoder_.incomplete());
    }

   private:
    struct Sink {
        Session& session;
        bool on_message(MessageView message) { return session.on_decoded(message); }
        bool on_ping(std::span<std::byte const> payload) { return session.on_ping(payload); }
        bool on_pong(std::span<std::byte const>) { return session.on_any_pong(); }
        bool on_fragment(std::size_t) { return !session.is_paused(); }
        void on_close(CloseCode code, std::string_view reason) { session.on_close_frame(code, reason); }
        void on_error(CloseCode code, std::string_view reason) { session.on_violation(code, reason); }
    };
    Session& self() noexcept { return static_cast<Session&>(*this); }

    ws::Decoder decoder_;
};

/// The same when an engine below has decoded already, and answers pings.
template <class Session>
class MessageInbound : public MessageConnectionOwner {
   public:
    void on_message(MessageView message) noexcept final {
        if (!self().hears()) return;
        self().note_heard();
        self().on_decoded(message);
    }
    void on_pong(std::span<std::byte const>) noexcept final {
        self().note_heard();
        self().on_any_pong();
    }
    void on_peer_close(CloseCode code, std::string_view reason) noexcept final { self().on_close_frame(code, reason); }

   protected:
    ~MessageInbound() = default;
    void resume_inbound() {}

   private:
    Session& self() noexcept { return static_cast<Session&>(*this); }
};

template <class Conn, class Session>
using Inbound = std::conditional_t<ByteConnection<Conn>, ByteInbound<Session>, MessageInbound<Session>>;

}  // namespace hubbub::inline v0
