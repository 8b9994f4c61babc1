#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <utility>

#include <hubbub/transport/websocketpp/websocketpp_engine.hpp>
#include <hubbub/ws/decoder_state.hpp>
#include <hubbub/ws/inbound_header.hpp>
#include <hubbub/ws/message_decoder.hpp>
#include <hubbub/ws/message_view.hpp>
#include <hubbub/ws/utf8.hpp>

namespace hubbub::inline v0 {

/// A MessageDecoder that is websocketpp's. The hub's checks come first: websocketpp gets one frame at a time, of which the header
/// has been checked, so that the limits on messages and fragments hold before it allocates for them, and so that reading can pause
/// behind each message.
///
/// Threading, lifetime and errors: as ws::BasicDecoder. Cost: a WebsocketppEngine from the first byte that the peer sends; a copy of
/// each message.
class WebsocketppDecoder {
   public:
    template <class Sink>
    void feed(std::span<std::byte> bytes, ws::DecoderLimits const& limits, Sink&& sink);
    template <class Sink>
    void resume(ws::DecoderLimits const& limits, Sink&& sink);
    bool keep(std::span<std::byte const> bytes) noexcept;

    bool incomplete() const noexcept { return !ended_ && state_ && state_->incomplete(); }
    bool stopped() const noexcept { return !ended_ && state_ && state_->stopped(); }
    bool ended() const noexcept { return ended_; }
    std::size_t buffered() const noexcept {
        if (!state_) return 0;
        std::size_t const engine = state_->engine ? sizeof(WebsocketppEngine) + sizeof(WebsocketppEngine::Connection) : 0;
        return sizeof(State) + engine + state_->kept.capacity() + state_->message_size;
    }

   private:
    struct State : ws::DecoderState {
        std::unique_ptr<WebsocketppEngine> engine;
    };
    using Event = WebsocketppEngine::Event;

    bool make_state() noexcept;
    bool make_engine(ws::DecoderLimits const& limits) noexcept;
    bool keep_rest(std::span<std::byte const> rest) noexcept {
        return state_->kept.append(rest, 2 * (state_->kept.size() + rest.size()));
    }
    template <class Sink>
    std::size_t decode(std::span<std::byte const> bytes, ws::DecoderLimits const& limits, Sink& sink);
    template <class Sink>
    bool end_frame(Event event, Sink& sink);
    template <class Sink>
    bool end_message(Sink& sink);
    template <class Sink>
    bool fail(Sink& sink, CloseCode code, std::string_view reason) {
        ended_ = true;
        sink.on_error(code, reason);
        return false;
    }

    std::unique_ptr<State> state_;
    bool ended_ = false;
};

inline bool WebsocketppDecoder::make_state() noexcept {
    if (!state_) state_.reset(new (std::nothrow) State);
    return state_ != nullptr;
}

inline bool WebsocketppDecoder::make_engine(ws::DecoderLimits const& limits) noexcept {
    if (state_->engine) return true;
    try {
        state_->engine = std::make_unique<WebsocketppEngine>(limits.message);
        return true;
    } catch (std::bad_alloc const&) {
        return false;
    }
}

inline bool WebsocketppDecoder::keep(std::span<std::byte const> bytes) noexcept {
    return ended_ || bytes.empty() || (make_state() && keep_rest(bytes));
}

template <class Sink>
void WebsocketppDecoder::feed(std::span<std::byte> bytes, ws::DecoderLimits const& limits, Sink&& sink) {
    if (ended_ || bytes.empty()) return;
    if (!make_state()) return void(fail(sink, CloseCode::internal_error, "out of memory"));
    std::size_t const decoded = state_->stopped() ? 0 : decode(bytes, limits, sink);
    if (!ended_ && !keep(bytes.subspan(decoded))) fail(sink, CloseCode::internal_error, "out of memory");
    if (ended_) state_.reset();
}

template <class Sink>
void WebsocketppDecoder::resume(ws::DecoderLimits const& limits, Sink&& sink) {
    if (!stopped()) return;
    ws::ByteBuffer kept = std::exchange(state_->kept, {});
    std::span<std::byte const> const bytes = kept.bytes();
    std::size_t const decoded = decode(bytes, limits, sink);
    if (!ended_ && !keep(bytes.subspan(decoded))) fail(sink, CloseCode::internal_error, "out of memory");
    if (ended_) state_.reset();
}

/// Returns how many bytes were decoded: all, or fewer where a sink said stop or the connection ended.
template <class Sink>
std::size_t WebsocketppDecoder::decode(std::span<std::byte const> bytes, ws::DecoderLimits const& given, Sink& sink) {
    using Parsed = ws::InboundHeader::Parsed;
    State& state = *state_;
    ws::DecoderLimits limits = given;
    limits.compressed = false;  // there is no extension
    if (!make_engine(limits)) return fail(sink, CloseCode::internal_error, "out of memory"), 0;
    std::size_t at = 0;
    while (at < bytes.size()) {
        std::size_t begin = at;
        Event event = Event::none;
        if (!state.in_frame) {
            std::size_t const had = state.header_size;
            std::size_t const more = std::min(bytes.size() - at, ws::max_header - had);
            std::memcpy(state.header.data() + had, bytes.data() + at, more);
            ws::InboundHeader head;
            auto const known = std::span<std::byte const>(state.header).first(had + more);
            auto const parsed = head.parse<ws::Role::server>(known, state.context(), limits);
            if (parsed == Parsed::refused) return fail(sink, head.error, head.reason), at;
            if (parsed == Parsed::need_more) {
                state.header_size = static_cast<std::uint8_t>(had + more);
                return bytes.size();
            }
            state.begin_frame(head);
            at += head.size - had;
            if (had != 0) {  // it came in pieces: websocketpp gets it from where it was put together
                event = state.engine->read(known.first(head.size));
                begin = at;
            }
        }
        auto const piece = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size() - at, state.remaining));
        at += piece;
        state.remaining -= piece;
        if (at != begin) event = state.engine->read(bytes.subspan(begin, at - begin));
        if (event == Event::violation) return fail(sink, state.engine->code(), state.engine->reason()), at;
        if (event == Event::failed) return fail(sink, CloseCode::internal_error, "out of memory"), at;
        if (state.remaining == 0 && !end_frame(event, sink)) return at;
    }
    return at;
}

/// False: nothing more is decoded now.
template <class Sink>
bool WebsocketppDecoder::end_frame(Event event, Sink& sink) {
    State& state = *state_;
    state.in_frame = false;
    bool const is_data = !ws::is_control(state.frame_opcode);
    if (is_data) state.message_size += static_cast<std::size_t>(state.frame_size);
    if (is_data && !state.frame_fin) return sink.on_fragment(static_cast<std::size_t>(state.frame_size));
    switch (event) {
        case Event::message: return end_message(sink);
        case Event::ping: return sink.on_ping(state.engine->payload());
        case Event::pong: return sink.on_pong(state.engine->payload());
        case Event::close:
            ended_ = true;
            sink.on_close(state.engine->code(), state.engine->reason());
            return false;
        default: return fail(sink, CloseCode::internal_error, "websocketpp did not say what a frame was");
    }
}

template <class Sink>
bool WebsocketppDecoder::end_message(Sink& sink) {
    State& state = *state_;
    auto const payload = state.engine->payload();
    bool const is_whole_text = state.message_opcode != ws::Opcode::text || state.fragments == 1 || ws::is_valid_utf8(payload);
    ws::Opcode const opcode = state.message_opcode;
    state.end_message();
    // websocketpp 0.8.2 does not look whether a text in several frames ends inside of a character.
    if (!is_whole_text) return fail(sink, CloseCode::invalid_payload, "text must be UTF-8");
    bool const goes_on = sink.on_message(MessageView(opcode, payload));
    state.engine->forget();
    return goes_on;
}

static_assert(ws::MessageDecoder<WebsocketppDecoder>);

}  // namespace hubbub::inline v0
