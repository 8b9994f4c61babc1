#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <string_view>
#include <utility>

#include <hubbub/core/assert.hpp>
#include <hubbub/ws/close_code.hpp>
#include <hubbub/ws/close_payload.hpp>
#include <hubbub/ws/decoder_state.hpp>
#include <hubbub/ws/inbound_header.hpp>
#include <hubbub/ws/inflated.hpp>
#include <hubbub/ws/mask.hpp>
#include <hubbub/ws/message_view.hpp>
#include <hubbub/ws/role.hpp>
#include <hubbub/ws/utf8.hpp>

namespace hubbub::inline v0::ws {

/// Turns the bytes of one direction of a connection into messages and control frames, however they were split.
///
/// What a frame says is checked before anything of it is kept (RFC 6455 5). A frame that is whole in what `feed` is given,
/// and is a whole message, is unmasked in place and handed out borrowed; only what is incomplete is copied.
///
/// It tells a sink:
///     struct SinkExemplar {
///         bool on_message(MessageView message);               // a whole message; text is valid UTF-8
///         bool on_ping(std::span<std::byte const> payload);
///         bool on_pong(std::span<std::byte const> payload);
///         bool on_fragment(std::size_t payload);              // a data frame that does not end its message is whole
///         void on_close(CloseCode code, std::string_view reason);  // no_status: the Close was empty
///         void on_error(CloseCode code, std::string_view reason);  // the peer broke the protocol: close with this
///         BlockPool& pool();                                  // if it has one: what is incomplete is kept in that, not on the heap
///     };
///         Inflated inflate(MessageView message, bool compressed);  // only of a sink that inflates, before `on_message`
/// where false says: stop after this one. The rest is kept, undecoded, for `resume`. After `on_close` or `on_error` nothing
/// is decoded any more.
///
/// Threading: one thread at a time.
/// Lifetime: what a sink gets is valid until it returns. A sink may neither destroy, move nor feed its decoder. Its pool, always the
/// same, outlives the decoder.
/// Errors: out of memory is `on_error(internal_error)`.
/// Cost: one pointer while nothing is incomplete and nothing is kept. An incomplete message costs at most twice what came of
/// it, whatever length was announced.
///
/// Why it is long: one state machine, with a path for short messages, one for other frames that are whole in the reader's buffer, and one for
/// pieces.
template <Role R = Role::server>
class BasicDecoder {
   public:
    /// Compressed messages are whole messages to it, where the limits allow them.
    static constexpr bool takes_compressed = true;

    BasicDecoder() noexcept = default;
    BasicDecoder(BasicDecoder&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
    BasicDecoder& operator=(BasicDecoder&& other) noexcept {
        if (this != &other) {
            release(state_);
            state_ = std::exchange(other.state_, nullptr);
        }
        return *this;
    }
    ~BasicDecoder() { release(state_); }

    /// Decodes what came from the peer; `bytes` are changed (unmasked). While `stopped` they are kept instead.
    template <class Sink>
    void feed(std::span<std::byte> bytes, DecoderLimits const& limits, Sink&& sink);

    /// Decodes what was kept after a stop, until a sink says stop again.
    template <class Sink>
    void resume(DecoderLimits const& limits, Sink&& sink);

    /// Keeps bytes for `resume` without decoding them, for those that were under way when reading was paused.
    /// False: there is no memory.
    bool keep(std::span<std::byte const> bytes) noexcept;

    /// A frame or message has begun and has not ended: the limit on how long that may take runs.
    bool incomplete() const noexcept { return has_state() && state_->incomplete(); }
    /// Something is kept, because a sink said stop or because of `keep`.
    bool stopped() const noexcept { return has_state() && state_->stopped(); }
    /// A Close or an error came; nothing is decoded any more.
    bool ended() const noexcept { return state_ == &ended_mark; }
    /// Bytes of memory that it holds beyond its own size.
    std::size_t buffered() const noexcept { return has_state() ? state_->memory() : 0; }

   private:
    using State = DecoderState;
    enum class Step : std::uint8_t { go_on, stop, end };

    /// Takes the state out of the decoder while it decodes, so that a second `feed` from a sink is noticed, and puts it back.
    class Work {
       public:
        Work(BasicDecoder& decoder, BlockPool* pool) noexcept
            : state(std::exchange(decoder.state_, &busy_mark)), decoder_(decoder), pool_(pool) {}
        Work(Work const&) = delete;
        Work& operator=(Work const&) = delete;
        [[gnu::always_inline]] ~Work() {
            if (state) [[unlikely]]
                drop_what_is_over();
            decoder_.state_ = ended ? &ended_mark : state;
        }

        bool make_state() noexcept {
            if (!state) state = new (std::nothrow) State(pool_);
            return state != nullptr;
        }
        bool between_frames() const noexcept { return !state || (!state->in_frame && state->header_size == 0); }
        bool between_messages() const noexcept { return !state || !state->incomplete(); }
        MessageContext context() const noexcept { return state ? state->context() : MessageContext{}; }

        State* state;
        bool ended = false;

       private:
        [[gnu::noinline]] void drop_what_is_over() noexcept {
            if (ended || (!state->incomplete() && !state->stopped())) delete std::exchange(state, nullptr);
        }

        BasicDecoder& decoder_;
        BlockPool* pool_;
    };

    template <class Sink>
    static BlockPool* pool_of(Sink& sink) noexcept {
        if constexpr (requires { sink.pool(); })
            return &sink.pool();
        else
            return nullptr;
    }

    template <class Sink>
    static std::size_t decode(Work&, std::span<std::byte>, DecoderLimits const&, Sink&);
    template <class Sink>
    static std::size_t short_message(Work&, std::span<std::byte>, DecoderLimits const&, Sink&, Step& done);
    template <class Sink>
    static std::size_t next_frame(Work&, std::span<std::byte>, DecoderLimits const&, Sink&, Step& done);
    template <class Sink>
    static Step whole_frame(Work&, InboundHeader const&, std::span<std::byte>, Sink&);
    template <class Sink>
    static Step part_of_frame(Work&, std::span<std::byte>, Sink&);
    template <class Sink>
    static Step control(Work&, Opcode, std::span<std::byte const>, Sink&);
    template <class Sink>
    static Step message(Work&, Sink&, MessageView, bool compressed);
    template <class Sink>
    static Step message_apart(Work&, Sink&, MessageView, bool compressed);
    template <class Sink>
    static bool check_text(Work&, Sink&, MessageView);
    template <class Sink>
    static Step fail(Work&, CloseCode, std::string_view, Sink&);

    static Step step(bool go_on) noexcept { return go_on ? Step::go_on : Step::stop; }
    static bool keep_rest(State& state, std::span<std::byte const> rest) noexcept;
    bool has_state() const noexcept {
        if (!state_) [[likely]]
            return false;
        return state_ != &ended_mark && state_ != &busy_mark;
    }
    static void release(State* state) noexcept {
        HUBBUB_ASSERT(state != &busy_mark);
        if (state != &ended_mark) delete state;
    }

    static constexpr std::string_view not_utf8 = "text must be UTF-8";
    static inline State ended_mark{};  // never written; only their addresses matter
    static inline State busy_mark{};

    State* state_ = nullptr;
};

/// The server's side: what hubbub's sessions use.
using Decoder = BasicDecoder<>;

template <Role R>
template <class Sink>
void BasicDecoder<R>::feed(std::span<std::byte> bytes, DecoderLimits const& limits, Sink&& sink) {
    HUBBUB_ASSERT(state_ != &busy_mark);
    if (ended() || bytes.empty()) return;
    Work work(*this, pool_of(sink));
    if (work.state && work.state->stopped()) {
        if (!keep_rest(*work.state, bytes)) fail(work, CloseCode::internal_error, "out of memory", sink);
        return;
    }
    std::size_t const decoded = decode(work, bytes, limits, sink);
    if (work.ended || decoded == bytes.size()) return;
    if (!work.make_state() || !keep_rest(*work.state, bytes.subspan(decoded))) {
        fail(work, CloseCode::internal_error, "out of memory", sink);
    }
}

template <Role R>
template <class Sink>
void BasicDecoder<R>::resume(DecoderLimits const& limits, Sink&& sink) {
    HUBBUB_ASSERT(state_ != &busy_mark);
    if (!stopped()) return;
    Work work(*this, pool_of(sink));
    ByteBuffer kept = std::move(work.state->kept);
    std::size_t const from = std::exchange(work.state->kept_from, 0);
    std::size_t const decoded = decode(work, kept.bytes().subspan(from), limits, sink);
    if (work.ended || from + decoded == kept.size()) return;
    // The state is still there: nobody frees it before `work` ends.
    work.state->kept = std::move(kept);
    work.state->kept_from = from + decoded;
}

template <Role R>
bool BasicDecoder<R>::keep(std::span<std::byte const> bytes) noexcept {
    HUBBUB_ASSERT(state_ != &busy_mark);
    if (ended() || bytes.empty()) return true;
    Work work(*this, nullptr);
    return work.make_state() && keep_rest(*work.state, bytes);
}

/// Appends to what is kept; what of it was decoded already goes first.
template <Role R>
bool BasicDecoder<R>::keep_rest(State& state, std::span<std::byte const> rest) noexcept {
    if (state.kept_from != 0) {
        std::size_t const left = state.kept.size() - state.kept_from;
        std::memmove(state.kept.data(), state.kept.data() + state.kept_from, left);
        state.kept.truncate(left);
        state.kept_from = 0;
    }
    std::size_t const total = state.kept.size() + rest.size();
    return state.kept.append(rest, state.kept.size() == 0 ? total : 2 * total);
}

/// Returns how many bytes were decoded: all, or fewer where a sink said stop or the connection ended.
template <Role R>
template <class Sink>
std::size_t BasicDecoder<R>::decode(Work& work, std::span<std::byte> bytes, DecoderLimits const& limits, Sink& sink) {
    std::size_t at = 0;
    Step done = Step::go_on;
    while (done == Step::go_on && at < bytes.size()) {
        auto const rest = bytes.subspan(at);
        std::size_t const size = short_message(work, rest, limits, sink, done);
        at += size ? size : next_frame(work, rest, limits, sink, done);
    }
    return at;
}

/// What nearly every frame is: a message of its own of less than 126 bytes, whole in the buffer of the reader and with nothing to
/// object to. Returns its size, or 0: look closer.
template <Role R>
template <class Sink>
[[gnu::always_inline]] inline std::size_t BasicDecoder<R>::short_message(Work& work, std::span<std::byte> bytes,
                                                                         DecoderLimits const& limits, Sink& sink, Step& done) {
    constexpr bool is_masked = R == Role::server;
    constexpr std::size_t header = is_masked ? 6 : 2;
    if (bytes.size() < header || !work.between_messages()) [[unlikely]]
        return 0;
    auto const first = std::to_integer<unsigned>(bytes[0]);
    // Without the bit that has to be there.
    std::size_t const length = std::to_integer<unsigned>(bytes[1]) ^ (is_masked ? 0x80u : 0u);
    bool const is_message = first == 0x81 || first == 0x82;
    if (!is_message || length >= 126 || length > limits.message || length > bytes.size() - header) [[unlikely]]
        return 0;
    auto const payload = bytes.subspan(header, length);
    if constexpr (is_masked) {
        MaskKey key;
        std::memcpy(key.data(), bytes.data() + 2, key.size());
        apply_mask(payload, key);
    }
    MessageView const whole(static_cast<Opcode>(first & 0x0Fu), payload);
    done = check_text(work, sink, whole) ? message(work, sink, whole, false) : Step::end;
    return header + length;
}

/// Decodes the frame that begins there, or the rest of the one under way, as far as it has come. Returns how many bytes that was.
template <Role R>
template <class Sink>
[[gnu::noinline]] std::size_t BasicDecoder<R>::next_frame(Work& work, std::span<std::byte> bytes, DecoderLimits const& limits,
                                                          Sink& sink, Step& done) {
    using Parsed = typename InboundHeader::Parsed;
    if (work.state && work.state->in_frame) {
        bytes = bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), work.state->remaining)));
        done = part_of_frame(work, bytes, sink);
        return bytes.size();
    }
    InboundHeader head;
    Parsed parsed;
    std::size_t at = 0;
    if (work.between_frames()) {
        parsed = head.parse<R>(bytes, work.context(), limits);
        if (parsed == Parsed::need_more) {
            if (!work.make_state()) return done = fail(work, CloseCode::internal_error, "out of memory", sink), at;
            std::memcpy(work.state->header.data(), bytes.data(), bytes.size());
            work.state->header_size = static_cast<std::uint8_t>(bytes.size());
            return bytes.size();
        }
        at = head.size;
    } else {
        State& state = *work.state;
        std::size_t const had = state.header_size;
        std::size_t const more = std::min(bytes.size(), max_header - had);
        std::memcpy(state.header.data() + had, bytes.data(), more);
        parsed = head.parse<R>(std::span<std::byte const>(state.header).first(had + more), state.context(), limits);
        if (parsed == Parsed::need_more) {
            state.header_size = static_cast<std::uint8_t>(had + more);
            return bytes.size();
        }
        if (parsed == Parsed::complete) at = head.size - had;
        state.header_size = 0;
    }
    if (parsed == Parsed::refused) return done = fail(work, head.error, head.reason, sink), at;
    if (head.payload <= bytes.size() - at) {
        auto const payload = bytes.subspan(at, static_cast<std::size_t>(head.payload));
        done = whole_frame(work, head, payload, sink);
        return at + payload.size();
    }
    if (!work.make_state()) return done = fail(work, CloseCode::internal_error, "out of memory", sink), at;
    work.state->begin_frame(head);
    return at;
}

/// A frame whose payload is whole in the buffer of the reader.
template <Role R>
template <class Sink>
typename BasicDecoder<R>::Step BasicDecoder<R>::whole_frame(Work& work, InboundHeader const& head, std::span<std::byte> payload,
                                                            Sink& sink) {
    bool const is_message = head.fin && head.opcode != Opcode::continuation && !is_control(head.opcode);
    if (!is_message && !is_control(head.opcode)) {
        if (!work.make_state()) return fail(work, CloseCode::internal_error, "out of memory", sink);
        work.state->begin_frame(head);
        return part_of_frame(work, payload, sink);
    }
    if constexpr (R == Role::server) apply_mask(payload, head.key);
    if (!is_message) return control(work, head.opcode, payload, sink);
    MessageView const whole(head.opcode, payload);
    if (!head.compressed && !check_text(work, sink, whole)) return Step::end;
    return message_apart(work, sink, whole, head.compressed);
}

/// The next piece of the frame under way, maybe the last.
template <Role R>
template <class Sink>
typename BasicDecoder<R>::Step BasicDecoder<R>::part_of_frame(Work& work, std::span<std::byte> piece, Sink& sink) {
    State& state = *work.state;
    switch (state.template take < R == Role::server > (piece)) {
        case State::Taken::bad_text: return fail(work, CloseCode::invalid_payload, not_utf8, sink);
        case State::Taken::no_memory: return fail(work, CloseCode::internal_error, "out of memory", sink);
        case State::Taken::taken: break;
    }
    if (state.remaining != 0) return Step::go_on;
    state.in_frame = false;
    if (is_control(state.frame_opcode)) {
        auto const payload = state.buffer.bytes().subspan(state.message_size);
        Step const done = control(work, state.frame_opcode, payload, sink);
        state.buffer.truncate(state.message_size);
        return done;
    }
    if (!state.frame_fin) return step(sink.on_fragment(static_cast<std::size_t>(state.frame_size)));
    if (state.checks_text() && !state.utf8.complete()) {
        return fail(work, CloseCode::invalid_payload, not_utf8, sink);
    }
    Step const done =
        message_apart(work, sink, MessageView(state.message_opcode, state.buffer.bytes()), state.message_compressed);
    state.end_message();
    return done;
}

template <Role R>
template <class Sink>
typename BasicDecoder<R>::Step BasicDecoder<R>::control(Work& work, Opcode opcode, std::span<std::byte const> payload,
                                                        Sink& sink) {
    if (opcode == Opcode::ping) return step(sink.on_ping(payload));
    if (opcode == Opcode::pong) return step(sink.on_pong(payload));
    ClosePayload const close = parse_close_payload(payload);
    if (!close.valid) return fail(work, close.code, close.reason, sink);
    sink.on_close(close.code, close.reason);
    work.ended = true;
    return Step::end;
}

/// A whole message. Inline, and so is what a session does with it: from the bytes of a short one to the program's callback there is no
/// call, but for what checks text and what inflates.
template <Role R>
template <class Sink>
[[gnu::always_inline]] inline typename BasicDecoder<R>::Step BasicDecoder<R>::message(Work& work, Sink& sink, MessageView whole,
                                                                                      bool compressed) {
    if constexpr (requires { sink.inflate(whole, compressed); }) {
        Inflated const inflated = sink.inflate(whole, compressed);
        if (inflated.failed()) return fail(work, inflated.error, inflated.reason, sink);
        // RFC 6455 8.1, of what the message says and not of how it came.
        MessageView const told(whole.opcode(), inflated.payload);
        if (compressed && !check_text(work, sink, told)) return Step::end;
        return step(sink.on_message(told));
    }
    HUBBUB_ASSERT(!compressed);  // only where RSV1 was negotiated, by whoever can inflate
    return step(sink.on_message(whole));
}

/// The same for all but short ones, out of line.
template <Role R>
template <class Sink>
[[gnu::noinline]] typename BasicDecoder<R>::Step BasicDecoder<R>::message_apart(Work& work, Sink& sink, MessageView whole,
                                                                                bool compressed) {
    return message(work, sink, whole, compressed);
}

/// False: it is text that is none (RFC 6455 8.1), and the connection has failed.
template <Role R>
template <class Sink>
[[gnu::always_inline]] inline bool BasicDecoder<R>::check_text(Work& work, Sink& sink, MessageView whole) {
    if (!whole.is_text() || is_valid_utf8(whole.payload())) return true;
    fail(work, CloseCode::invalid_payload, not_utf8, sink);
    return false;
}

template <Role R>
template <class Sink>
[[gnu::noinline]] typename BasicDecoder<R>::Step BasicDecoder<R>::fail(Work& work, CloseCode code, std::string_view reason,
                                                                       Sink& sink) {
    sink.on_error(code, reason);
    work.ended = true;
    return Step::end;
}

}  // namespace hubbub::inline v0::ws
