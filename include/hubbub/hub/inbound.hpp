#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

#include <hubbub/hub/callback_times.hpp>
#include <hubbub/transport/connection.hpp>
#include <hubbub/ws/inflated.hpp>
#include <hubbub/ws/message_decoder.hpp>

namespace hubbub::inline v0 {

/// How a session hears its client when the connection brings bytes: it decodes them.
template <class Session, ws::MessageDecoder Decoder>
class ByteInbound : public ByteConnectionOwner {
   public:
    void on_bytes(std::span<std::byte> bytes) noexcept final {
        if (!self().hears()) [[unlikely]]
            return self().on_unheard(bytes.empty());
        if (bytes.empty()) [[unlikely]]
            return self().on_lost();
        self().note_heard();
        std::size_t const kept = decoder_.buffered();
        if (self().is_paused()) [[unlikely]] {
            if (!decoder_.keep(bytes)) self().on_violation(CloseCode::internal_error, "out of memory");
        } else {
            hear([&](auto& sink) { decoder_.feed(bytes, self().decoder_limits(), sink); });
        }
        if (decoder_.buffered() != kept) [[unlikely]]
            self().note_kept(decoder_.buffered(), kept);
        self().answer();
    }
    /// Bytes of memory for what is not whole, or not decoded yet.
    std::size_t kept_inbound() const noexcept { return decoder_.buffered(); }

   protected:
    ~ByteInbound() = default;
    /// Where the decoder depends on what the connection is.
    template <class Conn>
    void use_decoder_of(Conn const& connection) {
        if constexpr (requires { decoder_.match(connection); }) decoder_.match(connection);
    }
    /// What was kept while the session was paused.
    void resume_inbound() {
        if (!decoder_.stopped()) return;
        std::size_t const kept = decoder_.buffered();
        hear([&](auto& sink) { decoder_.resume(self().decoder_limits(), sink); });
        if (decoder_.buffered() != kept) self().note_kept(decoder_.buffered(), kept);
    }
    /// Nothing that comes is decoded any more.
    void forget_inbound() noexcept { decoder_ = Decoder(); }

   private:
    struct Sink {
        Session& session;
        CallbackTimes::Row row{};
        [[gnu::always_inline]] bool on_message(MessageView message) { return session.on_decoded(message, row); }
        bool on_ping(std::span<std::byte const> payload) { return session.on_ping(payload); }
        bool on_pong(std::span<std::byte const>) { return session.on_any_pong(); }
        bool on_fragment(std::size_t) { return session.on_fragment(); }
        void on_close(CloseCode code, std::string_view reason) { session.on_close_frame(code, reason); }
        void on_error(CloseCode code, std::string_view reason) { session.on_violation(code, reason); }
        ws::BlockPool& pool() { return session.block_pool(); }
    };
    struct InflatingSink : Sink {
        ws::Inflated inflate(MessageView message, bool compressed) { return this->session.inflate(message, compressed); }
    };
    /// What one read brings. `decode(sink)`.
    template <class Decode>
    void hear(Decode&& decode) {
        std::conditional_t<Session::inflates, InflatingSink, Sink> sink{self()};
        decode(sink);
        self().end_row(sink.row);
        self().note_incomplete(decoder_.incomplete());
    }
    Session& self() noexcept { return static_cast<Session&>(*this); }

    Decoder decoder_;
};

/// The same when an engine below has decoded already, and answers pings.
template <class Session>
class MessageInbound : public MessageConnectionOwner {
   public:
    void on_message(MessageView message) noexcept final {
        if (!self().hears()) return;
        self().note_heard();
        CallbackTimes::Row row;
        self().on_decoded(message, row);
        self().end_row(row);
    }
    void on_pong(std::span<std::byte const>) noexcept final {
        self().note_heard();
        self().on_any_pong();
    }
    std::size_t kept_inbound() const noexcept { return 0; }
    void on_peer_close(CloseCode code, std::string_view reason) noexcept final { self().on_close_frame(code, reason); }
    void on_peer_violation(CloseCode code, std::string_view reason) noexcept final { self().on_violation(code, reason); }

   protected:
    ~MessageInbound() = default;
    template <class Conn>
    void use_decoder_of(Conn const&) {}
    void resume_inbound() {}
    void forget_inbound() noexcept {}

   private:
    Session& self() noexcept { return static_cast<Session&>(*this); }
};

/// Both, where only running tells.
template <class Session, ws::MessageDecoder Decoder>
class EitherInbound : public ByteInbound<Session, Decoder>, public MessageInbound<Session> {
   protected:
    ~EitherInbound() = default;
    using ByteInbound<Session, Decoder>::use_decoder_of;
    using ByteInbound<Session, Decoder>::resume_inbound;
    using ByteInbound<Session, Decoder>::forget_inbound;
    using ByteInbound<Session, Decoder>::kept_inbound;
};

namespace detail {
template <class Conn, class Session>
struct InboundOf {
    using type = ByteInbound<Session, DecoderOf<Conn>>;
};
template <MessageConnection Conn, class Session>
struct InboundOf<Conn, Session> {
    using type = MessageInbound<Session>;
};
template <EitherConnection Conn, class Session>
struct InboundOf<Conn, Session> {
    using type = EitherInbound<Session, hubbub::DecoderOf<Conn>>;
};
}  // namespace detail

template <class Conn, class Session>
using Inbound = typename detail::InboundOf<Conn, Session>::type;

}  // namespace hubbub::inline v0
