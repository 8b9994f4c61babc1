#pragma once

#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <hubbub/core/ids.hpp>
#include <hubbub/http/request.hpp>
#include <hubbub/hub/close_info.hpp>
#include <hubbub/hub/delivery.hpp>
#include <hubbub/hub/send_result.hpp>
#include <hubbub/transport/connection.hpp>
#include <hubbub/ws/close_payload.hpp>
#include <hubbub/ws/decoder.hpp>

namespace hubbub::inline v0 {

template <ByteConnection Conn>
class Shard;

/// One client that is connected: what handlers are given.
///
/// Threading: every call on the thread of its shard, inside a callback of the hub. From elsewhere use the hub, with `id()`.
/// Lifetime: until `on_close` returns. Keep the id, never the address.
template <ByteConnection Conn>
class Session final : private ByteConnectionOwner, private Subscriber {
   public:
    Session(Shard<Conn>& shard, SessionId id, Conn&& connection, http::Request&& request)
        : connection_(std::move(connection)), shard_(&shard), id_(id), request_(std::move(request)) {}

    SessionId id() const noexcept { return id_; }
    PeerAddress peer() const { return connection_.peer(); }
    http::Request const& request() const noexcept { return request_; }
    bool is_open() const noexcept { return state == State::open; }
    std::uint32_t queued_bytes() const noexcept { return queue.bytes(); }

    SendResult send(MessageView message);
    SendResult send(std::string_view text) { return send(MessageView::text(text)); }

    /// To all that are subscribed, on every shard, the sender too if it is.
    PublishResult publish(std::string_view topic, MessageView message) { return shard_->publish(topic, message, {}); }
    PublishResult publish(std::string_view topic, std::string_view text) { return publish(topic, MessageView::text(text)); }
    /// To all but this session.
    PublishResult publish_to_others(std::string_view topic, MessageView message) { return shard_->publish(topic, message, id_); }

    /// False: it is subscribed already, or closed. Who subscribes and then publishes gets its own message.
    bool subscribe(std::string_view topic) { return is_open() && shard_->subscribe(*this, topic); }
    bool unsubscribe(std::string_view topic) { return shard_->unsubscribe(*this, topic); }

    /// Sends what is queued, then a Close, and waits for the peer's. Idempotent.
    void close(CloseCode code = CloseCode::normal, std::string_view reason = {}) {
        begin_close(code, reason, CloseInfo::By::us, Pending::flush);
    }

   private:
    friend class Shard<Conn>;
    enum class Pending : std::uint8_t { flush, drop };

    /// What the decoder tells.
    struct Sink {
        Session& session;
        bool on_message(MessageView message) { return session.handle(message); }
        bool on_ping(std::span<std::byte const> payload) {
            session.pong_.emplace(reinterpret_cast<char const*>(payload.data()), payload.size());  // only the newest: RFC 6455 5.5.3
            session.shard_->delivery().want_flush(session);
            return true;
        }
        bool on_pong(std::span<std::byte const>) { return true; }
        bool on_fragment(std::size_t) { return true; }
        void on_close(CloseCode code, std::string_view reason) { session.peer_closes(code, reason); }
        void on_error(CloseCode code, std::string_view reason) {
            session.heard_all_ = true;
            session.begin_close(code, reason, CloseInfo::By::us, Pending::drop);
        }
    };

    void on_bytes(std::span<std::byte> bytes) noexcept override {
        if (state == State::closed) return;
        if (bytes.empty()) return on_lost();
        if (heard_all_) return;
        heard_at_ = shard_->now();
        pinged_ = false;
        decoder_.feed(bytes, shard_->options().message, Sink{*this});
    }
    void on_writable() noexcept override {
        blocked = false;
        if (!queue.empty()) shard_->delivery().want_flush(*this);
    }
    void on_written(std::uint32_t taken) noexcept override {
        bool const all = taken == queue.held();
        if (taken) progress_at_ = shard_->now();
        shard_->delivery().note_written(*this, taken);
        if (!all) return became_blocked();
        if (!queue.empty() || wants_control()) shard_->delivery().want_flush(*this);
        else after_flush();
    }
    void on_lost() noexcept override { end({CloseCode::abnormal, "the connection was lost", CloseInfo::By::network}); }

    bool handle(MessageView message);
    void peer_closes(CloseCode code, std::string_view reason);
    void begin_close(CloseCode code, std::string_view reason, CloseInfo::By by, Pending pending);
    void end(CloseInfo info, bool reset = false);
    void flush();
    void push_control(ws::Opcode opcode, std::string_view payload, bool last);
    bool wants_control() const noexcept { return pong_ && queue.control_frames() == 0; }
    /// RFC 6455 7.1.1: the server ends first, and waits for the peer's end, so that no reset overtakes the Close.
    void after_flush() {
        if (close_sent_ && heard_all_ && queue.empty() && !std::exchange(shut_down_, true)) connection_.shutdown();
    }
    void became_blocked() {
        if (!blocked) progress_at_ = shard_->now();
        blocked = true;
        queue.compact(shard_->delivery().pool(), true);
    }
    void check_time(TimePoint now);

    Conn connection_;
    Shard<Conn>* shard_;
    ws::Decoder decoder_;
    SessionId id_;
    bool close_sent_ = false;
    bool heard_all_ = false;  ///< the peer's Close has come, or it broke the protocol: nothing more is decoded
    bool shut_down_ = false;
    bool pinged_ = false;
    TimePoint heard_at_{}, progress_at_{};
    http::Request request_;
    std::optional<std::string> pong_;
    std::optional<CloseInfo> ended_;
};

template <ByteConnection Conn>
SendResult Session<Conn>::send(MessageView message) {
    if (state != State::open) return SendResult::closed;
    std::uint32_t const dropped_before = dropped;
    if (!shard_->delivery().send(*this, message)) return SendResult::too_big;
    return dropped == dropped_before ? SendResult::queued : SendResult::dropped;
}

template <ByteConnection Conn>
bool Session<Conn>::handle(MessageView message) {
    if (state != State::open) return true;  // RFC 6455 1.4: after our Close what still comes is not for the application
    try {
        shard_->handler().on_message(*this, message);
    } catch (...) {
        begin_close(CloseCode::internal_error, "internal error", CloseInfo::By::us, Pending::drop);
    }
    return true;
}

template <ByteConnection Conn>
void Session<Conn>::peer_closes(CloseCode code, std::string_view reason) {
    heard_all_ = true;
    // RFC 6455 5.5.1: the answer repeats the code; what was accepted before still goes out.
    begin_close(code, reason, CloseInfo::By::peer, Pending::flush);
    if (queue.empty()) after_flush();
}

template <ByteConnection Conn>
void Session<Conn>::begin_close(CloseCode code, std::string_view reason, CloseInfo::By by, Pending pending) {
    if (state == State::closed || close_sent_) return;
    Delivery& delivery = shard_->delivery();
    if (state == State::open) delivery.bring_up_to_date(*this);  // what was published before the Close comes before it
    state = State::closing;
    if (pending == Pending::drop) delivery.drop_pending(*this, DropReason::session_closed);
    ended_ = CloseInfo{code, std::string(reason), by};
    std::array<std::byte, ws::max_control_payload> payload;
    std::size_t const size = code == CloseCode::no_status ? 0 : ws::encode_close_payload(payload, code, reason);
    push_control(ws::Opcode::close, {reinterpret_cast<char const*>(payload.data()), size}, true);
    close_sent_ = true;
    progress_at_ = shard_->now();
    delivery.want_flush(*this);
    shard_->note_closing(*this);
}

template <ByteConnection Conn>
void Session<Conn>::end(CloseInfo info, bool reset) {
    if (state == State::closed) return;
    if (!ended_) ended_ = std::move(info);
    state = State::closed;
    reset ? connection_.reset() : connection_.close();
    shard_->delivery().drop_all(*this);
    shard_->note_dead(*this);
}

template <ByteConnection Conn>
void Session<Conn>::push_control(ws::Opcode opcode, std::string_view payload, bool last) {
    ws::BlockPool& pool = shard_->delivery().pool();
    ws::Block* block = pool.make(payload.size() + 2);
    std::size_t const header = ws::encode_server_header(block->bytes, opcode, payload.size());
    if (!payload.empty()) std::memcpy(block->bytes + header, payload.data(), payload.size());
    block->size = static_cast<std::uint32_t>(header + payload.size());
    if (last)
        queue.push_last_control(block, 0, block->size);
    else
        queue.push_control(block, 0, block->size);
    pool.release(block);
}

template <ByteConnection Conn>
void Session<Conn>::flush() {
    in_flush_list = false;
    if (state == State::closed || queue.held() || blocked) return;
    if (wants_control() && !close_sent_) {
        push_control(ws::Opcode::pong, *pong_, false);
        pong_.reset();
    }
    constexpr std::size_t most_slices = 64;
    while (!queue.empty()) {
        auto offer = queue.pending();
        if (offer.size() > most_slices) offer = offer.first(most_slices);
        std::uint32_t offered = 0;
        for (ws::Slice const& slice : offer) offered += slice.length;
        WriteResult const result = connection_.write(offer);
        if (result.failed) return on_lost();
        if (result.held) {
            if (result.taken) shard_->delivery().note_written(*this, result.taken);
            queue.hold(result.held);
            shard_->note_holding(*this);
            return;
        }
        if (result.taken) progress_at_ = shard_->now();
        shard_->delivery().note_written(*this, result.taken);
        if (result.taken < offered) return became_blocked();
    }
    after_flush();
}

template <ByteConnection Conn>
void Session<Conn>::check_time(TimePoint now) {
    if (state == State::closed) return;
    HubOptions const& options = shard_->options();
    if (close_sent_) {
        if (now - progress_at_ >= options.close_limit) end({CloseCode::abnormal, "no Close came", CloseInfo::By::network}, true);
        return;
    }
    if ((blocked || queue.held()) && now - progress_at_ >= options.write_limit)
        return end({CloseCode::abnormal, "the write time limit", CloseInfo::By::us}, true);
    if (blocked) queue.compact(shard_->delivery().pool(), true);
    auto const silence = now - heard_at_;
    if (silence >= options.silence_limit) {
        end({CloseCode::abnormal, "no frame came within the limit", CloseInfo::By::us}, true);
    } else if (silence >= options.ping_after && !pinged_) {
        pinged_ = true;
        if (queue.control_frames() == 0) {
            push_control(ws::Opcode::ping, {}, false);
            shard_->delivery().want_flush(*this);
        }
    }
}

}  // namespace hubbub::inline v0
