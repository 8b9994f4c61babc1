#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <hubbub/core/ids.hpp>
#include <hubbub/core/probe.hpp>
#include <hubbub/hub/callback_kind.hpp>
#include <hubbub/hub/delivery.hpp>
#include <hubbub/hub/history_page.hpp>
#include <hubbub/hub/hub_options.hpp>
#include <hubbub/hub/hub_policy.hpp>
#include <hubbub/hub/inbound.hpp>
#include <hubbub/hub/publish_options.hpp>
#include <hubbub/hub/results.hpp>
#include <hubbub/hub/session_extras.hpp>
#include <hubbub/hub/session_snapshot.hpp>
#include <hubbub/hub/subscriber.hpp>
#include <hubbub/hub/talkers.hpp>
#include <hubbub/hub/target.hpp>
#include <hubbub/hub/timing_wheel.hpp>
#include <hubbub/ws/close_payload.hpp>

namespace hubbub::inline v0 {

template <BasicConnection Conn, HubPolicy Policy>
class Shard;
template <BasicConnection Conn, HubPolicy Policy>
class SessionHandle;

/// In ticks of a shard.
struct HeartbeatTicks {
    std::uint32_t ping_after, silence;
};
template <HubPolicy Policy>
inline constexpr bool is_uniform_heartbeat = requires { Policy::Heartbeat::is_uniform; };

/// One client that is connected: what handlers are given.
///
/// Threading: every call on the thread of its shard, inside a hook of the hub. From elsewhere use the hub, with `id()`.
/// Lifetime: until `on_close` returns. Keep the id, never the address.
///
/// Why it is long: what a session is stands in one place; each body is short, and none is of use elsewhere.
template <BasicConnection Conn, HubPolicy Policy = DefaultPolicy>
class Session final : private Inbound<Conn, Session<Conn, Policy>>, private Subscriber {
   public:
    using Data = typename Policy::SessionData;

    Session(SessionId id, Shard<Conn, Policy>& shard, Conn&& connection, LimitTable::Lease&& lease)
        : connection_(std::move(connection)),
          shard_(&shard),
          index_(id.index),
          generation_(id.generation),
          lease_(std::move(lease)) {
        this->use_decoder_of(connection_);
    }

    SessionId id() const noexcept { return {index_, generation_, shard_->index()}; }
    /// Whose session this is, among the processes that a broker connects; 0 without one.
    std::uint64_t node() const noexcept { return shard_->node(); }
    /// Where it comes from; what a trusted proxy says of that, if one stands between.
    PeerAddress peer() const { return extras_ && extras_->peer ? *extras_->peer : connection_.peer(); }
    bool is_open() const noexcept { return state == State::open; }
    Data& data() noexcept { return data_; }
    /// Who it is; nobody in particular, if nothing was found out.
    Identity const& identity() const noexcept {
        static Identity const nobody;
        return extras_ ? extras_->identity : nobody;
    }
    /// The request that opened it, during `on_open` only; then null.
    http::Request const* request() const noexcept { return extras_ && extras_->request ? &*extras_->request : nullptr; }
    /// The subprotocol that was chosen, or empty.
    std::string_view protocol() const noexcept { return extras_ ? std::string_view(extras_->protocol) : std::string_view(); }
    /// What the hub was made with.
    HubOptions<Policy> const& options() const noexcept { return shard_->options(); }
    std::uint32_t queued_bytes() const noexcept { return queue.bytes(); }
    std::uint32_t queued_messages() const noexcept { return queue.messages(); }

    /// To this client. Behind what its topics published before, in the order of the program.
    /// Cost: a copy of the message. Behind publications of this turn also the least of their number, their topics and its topics.
    SendResult send(MessageView message);
    SendResult send(std::string_view text) { return send(MessageView::text(text)); }

    /// To all that are subscribed, on every shard, the sender too if it is.
    /// Cost: a look-up by name and a copy of the message, for each shard that has members; at the end of the turn one entry for each
    /// member, however many messages the topic got.
    PublishResult publish(std::string_view topic, MessageView message, PublishOptions options = {});
    PublishResult publish(std::string_view topic, std::string_view text) { return publish(topic, MessageView::text(text)); }
    /// To all but this session. Cost: a little more for this session's entry, constant.
    PublishResult publish_to_others(std::string_view topic, MessageView message) {
        return publish(topic, message, {.except = id()});
    }
    PublishResult publish_to_others(std::string_view topic, std::string_view text) {
        return publish_to_others(topic, MessageView::text(text));
    }

    /// Tells `on_subscribed` when it has begun, in this turn or, if the topic is another shard's or remembers, after a letter and its
    /// answer.
    /// Cost: two look-ups by name and an entry in two lists, whatever topics it has already.
    SubscribeResult subscribe(std::string_view topic, SubscribeOptions const& options = {});
    /// It is a member of that topic, or about to be: nothing and nobody refused it. Cost: a look-up by name.
    bool is_subscribed(std::string_view topic);
    /// False: it is not subscribed. Cost: constant; what the topic published in this turn is given to it.
    bool unsubscribe(std::string_view topic);

    /// A part of what a topic remembers: calls `function(session, HistoryPage const&)`, if the session is there then. It is read behind what
    /// this session did before. The authorization is not asked.
    /// Cost: two posted functions; a reference for each message.
    template <class F>
    void read_history(std::string_view topic, HistoryQuery const& query, F function) {
        shard_->ask_owner([topic = std::string(topic), query,
                           then = shard_->template for_reader<HistoryPage>(id(), std::move(function))](auto& shared) mutable {
            shared.read_history(topic, query, std::move(then));
        });
    }
    /// Who is subscribed to a topic that knows it, at most so many: calls `function(session, PresencePage const&)`. As `read_history`.
    template <class F>
    void read_presence(std::string_view topic, std::size_t most, F function) {
        shard_->ask_owner([topic = std::string(topic), most,
                           then = shard_->template for_reader<PresencePage>(id(), std::move(function))](auto& shared) mutable {
            shared.read_presence(topic, most, std::move(then));
        });
    }

    /// Gives it the identity that a new token brings: its labels and how long it holds. A session of nobody in particular may become
    /// somebody's; one of a user stays that user's. Labels of `add_label` stay.
    RefreshResult refresh(Authenticated const& who);
    RefreshResult refresh(Identity who) { return refresh(Authenticated::as(std::move(who))); }
    /// The authorization is asked anew: somebody's rights have changed.
    void forget_permissions() {
        if (extras_) extras_->permissions.clear();
    }

    /// Adds a label: the session can be published to and closed with others that have it. False: it has it already.
    /// Cost: as a subscription.
    bool add_label(std::string_view label);

    /// Sends what is queued, then a Close, and waits for the peer's. Idempotent.
    /// Cost: constant, and at the end of the turn for each of its topics.
    void close(CloseCode code = CloseCode::normal, std::string_view reason = {}) {
        begin_close(code, reason, CloseInfo::By::us, Pending::flush);
    }

    /// No message is delivered until `resume_reading`; the client feels it when the network's buffers are full. Cost: constant.
    void pause_reading() { pause(paused_by_user); }
    void resume_reading() { resume(paused_by_user); }

    /// For who answers later, on whatever thread: posts functions to this session, if it is there then. Cost: two references.
    SessionHandle<Conn, Policy> handle() const { return shard_->handle(id()); }

    /// Calls `function(session)` after that time, if the session is there then.
    /// Cost: one entry of a heap, logarithmic in their number.
    template <class F>
    void after(std::chrono::milliseconds delay, F&& function) {
        shard_->after(id(), delay, std::forward<F>(function));
    }

   private:
    template <class, ws::MessageDecoder>
    friend class ByteInbound;
    template <class>
    friend class MessageInbound;
    friend class Shard<Conn, Policy>;
    enum class Pending : std::uint8_t { flush, drop };
    static constexpr bool inflates = compresses<Policy>;
    static constexpr std::uint32_t paused_by_user = 1, paused_by_congestion = 2, paused_by_verdict = 4, paused_by_questions = 8,
                                   paused_by_rate = 16, paused_by_anything = 63;

    SessionExtras& extras() {
        if (!extras_) extras_ = std::make_unique<SessionExtras>();
        return *extras_;
    }
    void forget_idle_extras() {
        if (extras_ && extras_->is_idle()) extras_.reset();
    }

    // ---- what comes in
    bool hears() const noexcept { return state != State::closed && !heard_all_; }
    void on_unheard(bool is_end) {
        if (is_end && state != State::closed) on_lost();
    }
    void note_heard() noexcept {
        heard_at_ = shard_->tick();
        is_pinged_ = false;
    }
    void note_incomplete(bool incomplete) {
        if (!incomplete) [[likely]] {
            incomplete_at_ = 0;
        } else if (!incomplete_at_) {
            incomplete_at_ = shard_->tick();
            shard_->reschedule(*this);
        }
    }
    /// For how long nothing of what is queued has gone out; nothing, if it is about to.
    std::optional<std::uint32_t> stalled_ticks() const noexcept {
        if (queue.empty() || (!blocked && !queue.held())) return std::nullopt;
        return shard_->tick() - progress_at_;
    }
    /// For a list, without who it is: most are not listed.
    SessionSnapshot brief() const {
        SessionSnapshot result;
        result.id = id();
        result.queued_bytes = queued_bytes();
        result.queued_messages = queued_messages();
        result.stalled = shard_->duration(stalled_ticks().value_or(0));
        result.written = written;
        result.dropped = dropped;
        return result;
    }
    void note_kept(std::size_t now, std::size_t before) { shard_->note_kept(now, before); }
    /// Bytes of memory that are free when it goes, more or less.
    std::size_t weight() const noexcept {
        std::size_t weight = queue.weight() + this->kept_inbound();
        if constexpr (requires { connection_.footprint(); }) weight += connection_.footprint();
        if constexpr (compresses<Policy>) weight += Policy::Compression::memory(compression_);
        return weight;
    }
    /// Ends it for what it makes the hub keep.
    void shed() {
        heard_all_ = true;
        note_kept(0, this->kept_inbound());
        if constexpr (compresses<Policy>) shard_->compression().forget(compression_);
        this->forget_inbound();
        if (state == State::closing) return end({}, true);  // what it waits for would be kept until then
        begin_close(CloseCode::try_again_later, "the server is short of memory", CloseInfo::By::us, Pending::drop);
    }
    HeartbeatTicks const& heartbeat() const noexcept {
        if constexpr (is_uniform_heartbeat<Policy>)
            return shard_->uniform_heartbeat();
        else
            return heartbeat_;
    }
    ws::DecoderLimits const& decoder_limits() const noexcept {
        if constexpr (compresses<Policy>)
            if (Policy::Compression::agreed(compression_)) return shard_->limits_of_compressed();
        return shard_->options().message;
    }
    ws::Inflated inflate(MessageView message, bool compressed)
        requires(inflates)
    {
        if (state != State::open) return {};  // RFC 6455 1.4: nobody hears it
        return shard_->compression().inflate(compression_, message, compressed, shard_->options().message.message);
    }
    /// Which frames of a message it is sent.
    std::uint8_t variant() const noexcept {
        if constexpr (compresses<Policy>)
            return Policy::Compression::variant(compression_);
        else
            return ws::Compressor::plain;
    }
    ws::BlockPool& block_pool() noexcept { return shard_->delivery().pool(); }
    bool is_paused() const noexcept { return paused_ != 0; }
    bool on_decoded(MessageView message, CallbackTimes::Row& row);
    void end_row(CallbackTimes::Row& row) { shard_->end_row(*this, CallbackKind::on_message, row); }
    bool on_ping(std::span<std::byte const> payload);
    /// Its bytes count when the message is whole.
    bool on_fragment() {
        shard_->note_use(*this, 0);
        return !is_paused();
    }
    bool on_any_pong() {
        shard_->note_round_trip(pinged_at_);
        shard_->note_use(*this, 0);
        return !is_paused();
    }
    void on_close_frame(CloseCode code, std::string_view reason);
    void on_violation(CloseCode code, std::string_view reason) {
        heard_all_ = true;
        begin_close(code, reason, CloseInfo::By::us, Pending::drop);
    }

    /// The engine below writes the control frames.
    bool has_engine() const noexcept {
        if constexpr (EitherConnection<Conn>)
            return connection_.has_engine();
        else
            return MessageConnection<Conn>;
    }
    void start() {
        if constexpr (EitherConnection<Conn>)
            connection_.start(*this, *this);
        else
            connection_.start(*this);
    }

    // ---- what the connection tells
    void on_writable() noexcept override;
    void on_written(std::uint32_t taken) noexcept override;
    void on_lost() noexcept override { end({CloseCode::abnormal, "the connection was lost", CloseInfo::By::network}); }

    // ---- what goes out
    static constexpr std::uint32_t large_from = 32 * 1024;  ///< bytes in a queue for which nobody else has to wait
    static constexpr std::size_t most_slices = 64;          ///< of one write
    void flush();
    /// What it was sent while it was heard leaves while its socket is in the processor's cache. Else at the end of the turn.
    void answer() {
        if (in_flush_list && shard_->answers_at_once() && shard_->delivery().admission().takes_back(*this)) flush();
    }
    void flush_part(std::uint32_t most);
    [[gnu::always_inline]] bool write(std::span<ws::Slice const> offer, std::uint32_t offered);
    void after_flush();
    void push_control(ws::Opcode opcode, std::string_view payload, bool last);
    void answer_ping() {
        push_control(ws::Opcode::pong, *extras_->pong, false);
        extras_->pong.reset();
        forget_idle_extras();
    }
    bool wants_pong() const noexcept { return extras_ && extras_->pong && !close_sent_ && queue.control_frames() == 0; }
    void became_blocked();

    void pause(std::uint32_t why);
    void resume(std::uint32_t why);
    void begin_close(CloseCode code, std::string_view reason, CloseInfo::By by, Pending pending);
    void end(CloseInfo info, bool reset = false);
    void ping();
    std::uint32_t check_time(std::uint32_t tick);
    PublishResult publish_allowed(std::string_view topic, MessageView message, Frame const* frame, PublishOptions&& options);
    PublishResult ask_to_publish(std::string_view topic, MessageView message, PublishOptions&& options);
    void ask_to_subscribe(std::string_view topic, SubscribeOptions const& options);
    std::optional<bool> ask(AuthorizationRequest::Action action, std::string_view topic, std::uint64_t serial);
    void remember(AuthorizationRequest::Action action, std::string_view topic, bool allowed) {
        if (std::size_t const most = shard_->options().permissions) extras().permissions.add(action, topic, allowed, most);
    }
    void on_verdict(std::uint64_t serial, std::uint32_t identity, bool allowed);
    void act_on_verdicts();
    void plan_warning();
    void check_expiry(std::uint32_t tick, std::uint32_t& next);

    Conn connection_;
    Shard<Conn, Policy>* shard_;
    std::uint32_t index_, generation_;  ///< with the shard's number its id
    WheelLinks wheel_;
    std::uint32_t close_sent_ : 1 = false;
    std::uint32_t heard_all_ : 1 = false;  ///< the peer's Close has come, or it broke the protocol: nothing more is decoded
    std::uint32_t is_pinged_ : 1 = false;
    std::uint32_t shut_down_ : 1 = false;
    std::uint32_t paused_ : 6 = 0;               ///< why: paused_by_...
    std::uint32_t talker_ : 22 = Talkers::none;  ///< where it is counted what it said of late
    std::uint32_t heard_at_ = 0;                 ///< in ticks, like the next two
    std::uint32_t progress_at_ = 0;              ///< of writing, or when the Close was queued
    std::uint32_t incomplete_at_ = 0;            ///< since when a message is incomplete, 0 for none
    std::uint32_t pinged_at_ = 0;                ///< milliseconds of the shard's clock
    LimitTable::Lease lease_;
    std::unique_ptr<SessionExtras> extras_;
    struct SharedHeartbeat {};
    [[no_unique_address]] std::conditional_t<is_uniform_heartbeat<Policy>, SharedHeartbeat, HeartbeatTicks> heartbeat_{};
    [[no_unique_address]] typename Policy::Compression::Session compression_{};
    [[no_unique_address]] Data data_;
};

template <BasicConnection Conn, HubPolicy Policy>
SendResult Session<Conn, Policy>::send(MessageView message) {
    if (state != State::open) [[unlikely]]
        return SendResult::closed;
    std::uint32_t const dropped_before = dropped;
    if (!shard_->delivery().send(*this, message, variant())) return SendResult::too_big;
    return dropped == dropped_before ? SendResult::queued : SendResult::dropped;
}

template <BasicConnection Conn, HubPolicy Policy>
PublishResult Session<Conn, Policy>::publish(std::string_view topic, MessageView message, PublishOptions options) {
    if (state == State::closed) return PublishResult::closed;
    if (!is_topic_name(topic)) return PublishResult::malformed_name;
    if (!shard_->delivery().fits(message.size())) return PublishResult::too_big;
    if constexpr (always_agrees<typename Policy::Access>) {
        return publish_allowed(topic, message, nullptr, std::move(options));
    } else {
        return ask_to_publish(topic, message, std::move(options));
    }
}

template <BasicConnection Conn, HubPolicy Policy>
PublishResult Session<Conn, Policy>::publish_allowed(std::string_view topic, MessageView message, Frame const* frame,
                                                     PublishOptions&& options) {
    if (shard_->router().refuses(topic)) {
        if (options.on_receipt)
            completes([&] { options.on_receipt(PublishReceipt{{}, false, false, 0, 0, {}, PublishFailure::apart}); });
        return PublishResult::apart;
    }
    shard_->publish(topic, message, frame, std::move(options));
    if (shard_->is_congested(topic)) shard_->hold_back(*this);
    return PublishResult::accepted;
}

/// The verdict, if it is remembered or comes at once; else `on_verdict` gets it.
template <BasicConnection Conn, HubPolicy Policy>
std::optional<bool> Session<Conn, Policy>::ask(AuthorizationRequest::Action action, std::string_view topic,
                                               std::uint64_t serial) {
    if (auto const known = extras().permissions.find(action, topic)) return known;
    auto asked =
        shard_->template ask<Permission>(id(), [serial, identity = extras().identities](Session& session, Permission given) {
            session.on_verdict(serial, identity, given.allowed);
        });
    shard_->access().authorize({action, topic, id(), identity()}, asked.verdict());
    auto const now = asked.take();
    if (!now) return std::nullopt;
    remember(action, topic, now->allowed);
    return now->allowed;
}

template <BasicConnection Conn, HubPolicy Policy>
PublishResult Session<Conn, Policy>::ask_to_publish(std::string_view topic, MessageView message, PublishOptions&& options) {
    std::uint64_t const serial = ++extras().serials;
    auto const now = ask(AuthorizationRequest::Action::publish, topic, serial);
    auto& waiting = extras().publications;
    if (now && waiting.empty())
        return *now ? publish_allowed(topic, message, nullptr, std::move(options)) : PublishResult::refused;
    waiting.add(serial, {std::string(topic), Frame(message), std::move(options)}, now);
    pause(paused_by_verdict);
    return PublishResult::accepted;
}

template <BasicConnection Conn, HubPolicy Policy>
void Session<Conn, Policy>::ask_to_subscribe(std::string_view topic, SubscribeOptions const& options) {
    std::uint64_t const serial = ++extras().serials;
    auto const now = ask(AuthorizationRequest::Action::subscribe, topic, serial);
    auto& waiting = extras().subscriptions;
    if (now && waiting.empty()) return shard_->decide_subscription(*this, topic, options, *now);
    waiting.add(serial, {std::string(topic), options}, now);
    if (waiting.size() >= shard_->options().questions) pause(paused_by_questions);
}

template <BasicConnection Conn, HubPolicy Policy>
void Session<Conn, Policy>::on_verdict(std::uint64_t serial, std::uint32_t identity, bool allowed) {
    using Action = AuthorizationRequest::Action;
    if (state == State::closed || !extras_) return;
    bool const is_of_now = identity == extras_->identities;
    if (auto const* const publication = extras_->publications.answer(serial, allowed)) {
        if (is_of_now) remember(Action::publish, publication->topic, allowed);
    } else if (auto const* const subscription = extras_->subscriptions.answer(serial, allowed)) {
        if (is_of_now) remember(Action::subscribe, subscription->topic, allowed);
    }
    act_on_verdicts();
}

template <BasicConnection Conn, HubPolicy Policy>
void Session<Conn, Policy>::act_on_verdicts() {
    extras_->publications.take_answered([this](SessionExtras::AskedPublication&& asked, bool allowed) {
        if (allowed) publish_allowed(asked.topic, asked.frame.message(), &asked.frame, std::move(asked.options));
    });
    extras_->subscriptions.take_answered([this](SessionExtras::AskedSubscription&& asked, bool allowed) {
        if (is_open()) shard_->decide_subscription(*this, asked.topic, asked.options, allowed);
    });
    if (extras_->publications.empty()) resume(paused_by_verdict);
    if (extras_->subscriptions.size() < shard_->options().questions) resume(paused_by_questions);
}

template <BasicConnection Conn, HubPolicy Policy>
SubscribeResult Session<Conn, Policy>::subscribe(std::string_view topic, SubscribeOptions const& options) {
    if (state != State::open) return SubscribeResult::closed;
    if (!is_topic_name(topic)) return SubscribeResult::malformed_name;
    if (extras_ && extras_->subscriptions.has([&](auto const& each) { return each.topic == topic; }))
        return SubscribeResult::already;
    return shard_->subscribe(*this, topic, options);
}

template <BasicConnection Conn, HubPolicy Policy>
bool Session<Conn, Policy>::is_subscribed(std::string_view topic) {
    if (state != State::open || !is_topic_name(topic)) return false;
    auto const number = shard_->delivery().topics().find(topic);
    return number && this->find(*number);
}

template <BasicConnection Conn, HubPolicy Policy>
bool Session<Conn, Policy>::unsubscribe(std::string_view topic) {
    if (!is_topic_name(topic)) return false;
    if (extras_ && extras_->subscriptions.withdraw([&](auto const& each) { return each.topic == topic; })) {
        act_on_verdicts();  // of those that waited behind it
        return true;
    }
    return shard_->unsubscribe(*this, topic);
}

template <BasicConnection Conn, HubPolicy Policy>
RefreshResult Session<Conn, Policy>::refresh(Authenticated const& who) {
    if (state != State::open) return RefreshResult::closed;
    if (who.status != http::Status::switching_protocols) return RefreshResult::refused;
    SessionExtras& mine = extras();
    bool const becomes_somebody = mine.identity.user.empty() && !who.identity.user.empty();
    if (!becomes_somebody && who.identity.user != mine.identity.user) return RefreshResult::another_user;
    if (becomes_somebody && !shard_->lease_user(who.identity, mine.user_lease)) return RefreshResult::too_many;

    Identity fresh = who.identity_at(shard_->now());
    fresh.drop_double_labels();
    std::size_t const own_labels = fresh.labels.size();
    auto const has = [](std::vector<std::string> const& labels, std::string const& label) {
        return std::find(labels.begin(), labels.end(), label) != labels.end();
    };
    std::vector<std::string> const before = std::move(mine.identity.labels);
    for (std::size_t i = mine.own_labels; i < before.size(); ++i)  // those of `add_label`
        if (!has(fresh.labels, before[i])) fresh.labels.push_back(before[i]);
    mine.identity = std::move(fresh);
    mine.own_labels = own_labels;
    for (auto const& label : before)
        if (!has(mine.identity.labels, label)) shard_->leave_internal(*this, internal_topics::label(label));
    for (auto const& label : mine.identity.labels)
        if (!has(before, label)) shard_->join_internal(*this, internal_topics::label(label));
    if (becomes_somebody) shard_->join_internal(*this, internal_topics::user(mine.identity.user));

    mine.permissions.clear();
    ++mine.identities;
    shard_->note_identity(*this);
    plan_warning();
    shard_->reschedule(*this);
    return RefreshResult::refreshed;
}

template <BasicConnection Conn, HubPolicy Policy>
bool Session<Conn, Policy>::add_label(std::string_view label) {
    if (state != State::open) return false;
    if (!shard_->join_internal(*this, internal_topics::label(label))) return false;
    extras().identity.labels.emplace_back(label);
    shard_->note_identity(*this);
    return true;
}

template <BasicConnection Conn, HubPolicy Policy>
[[gnu::always_inline]] inline bool Session<Conn, Policy>::on_decoded(MessageView message, CallbackTimes::Row& row) {
    if (state != State::open) [[unlikely]]  // RFC 6455 1.4: after our Close what still comes is not for the application
        return true;
    shard_->note_received(message.size());
    HUBBUB_PROBE(3, message_in, shard_->index().value, index_, message.size());
    if (extras_ && extras_->message_at) [[unlikely]]
        extras_->message_at = shard_->tick();
    shard_->call(*this, CallbackKind::on_message, [&](auto& handler) { handler.on_message(*this, message); }, row);
    shard_->note_use(*this, message.size());
    return !is_paused();
}

template <BasicConnection Conn, HubPolicy Policy>
bool Session<Conn, Policy>::on_ping(std::span<std::byte const> payload) {
    // RFC 6455 5.5.3: only the newest needs an answer.
    extras().pong.emplace(reinterpret_cast<char const*>(payload.data()), payload.size());
    shard_->delivery().admission().want_flush(*this);
    shard_->note_use(*this, payload.size());
    return !is_paused();
}

template <BasicConnection Conn, HubPolicy Policy>
void Session<Conn, Policy>::on_close_frame(CloseCode code, std::string_view reason) {
    heard_all_ = true;
    // RFC 6455 5.5.1: the answer repeats the code; what was accepted before still goes out.
    begin_close(code, reason, CloseInfo::By::peer, Pending::flush);
    if (queue.empty()) after_flush();
}

template <BasicConnection Conn, HubPolicy Policy>
void Session<Conn, Policy>::on_writable() noexcept {
    blocked = false;
    shard_->delivery().admission().drop_expired(*this, shard_->now_ticks());
    if (!queue.empty() || wants_pong() || missed) shard_->delivery().admission().want_flush(*this);
}

template <BasicConnection Conn, HubPolicy Policy>
void Session<Conn, Policy>::on_written(std::uint32_t taken) noexcept {
    if (state == State::closed) return;
    bool const all = taken == queue.held();
    if (taken) progress_at_ = shard_->tick();
    shard_->delivery().admission().note_written(*this, taken);
    if (!all) return became_blocked();
    if (!queue.empty() || wants_pong()) return shard_->delivery().admission().want_flush(*this);
    after_flush();
}

template <BasicConnection Conn, HubPolicy Policy>
void Session<Conn, Policy>::became_blocked() {
    if (!blocked) {
        blocked = true;
        progress_at_ = close_sent_ ? progress_at_ : shard_->tick();
        shard_->reschedule(*this);
    }
    queue.compact(shard_->delivery().pool(), true);
}

/// Offers it once. True: all of it is out, and the connection may take more.
template <BasicConnection Conn, HubPolicy Policy>
inline bool Session<Conn, Policy>::write(std::span<ws::Slice const> offer, std::uint32_t offered) {
    shard_->note_write();
    WriteResult const result = connection_.write(offer);
    HUBBUB_PROBE(4, write, shard_->index().value, index_, offered, result.taken);
    if (result.failed) [[unlikely]]
        return on_lost(), false;
    shard_->note_written(result.taken);
    if (result.taken) progress_at_ = close_sent_ ? progress_at_ : shard_->tick();
    if (result.taken || !result.held) shard_->delivery().admission().note_written(*this, result.taken);
    if (result.held) [[unlikely]] {
        queue.hold(result.held);
        shard_->note_holding(*this);
        return false;
    }
    if (result.taken < offered) [[unlikely]]
        return became_blocked(), false;
    return true;
}

template <BasicConnection Conn, HubPolicy Policy>
void Session<Conn, Policy>::flush() {
    in_flush_list = false;
    if (state == State::closed || queue.held() || blocked) [[unlikely]]
        return;
    if (queue.bytes() > large_from) [[unlikely]]
        return shard_->flush_in_parts(*this);
    for (;;) {
        if (wants_pong()) [[unlikely]]
            answer_ping();
        if (queue.empty()) break;
        auto offer = queue.pending();
        std::uint32_t offered = queue.bytes();
        if (offer.size() > most_slices) [[unlikely]] {
            offer = offer.first(most_slices);
            offered = 0;
            for (ws::Slice const& slice : offer) offered += slice.length;
        }
        if (!write(offer, offered)) return;
    }
    if (state != State::open || missed || recovering) [[unlikely]]  // else there is nothing to do
        after_flush();
}

/// The same for a queue that has much: offers at most so many bytes of it, once.
template <BasicConnection Conn, HubPolicy Policy>
void Session<Conn, Policy>::flush_part(std::uint32_t most) {
    in_flush_list = false;
    if (state == State::closed || queue.held() || blocked) return;
    if (wants_pong()) answer_ping();
    auto const all = queue.pending();
    std::uint32_t bytes = 0;
    std::size_t count = 0;
    while (count < std::min(all.size(), most_slices) && all[count].length <= most - bytes) bytes += all[count++].length;
    ws::Slice first{};
    if (!all.empty()) first = {all[0].block, all[0].offset, std::min(all[0].length, most)};
    bool const goes_on = all.empty() || (count ? write(all.first(count), bytes) : write({&first, 1}, first.length));
    if (goes_on) shard_->delivery().admission().want_flush(*this);
}

/// Everything that was queued is out.
template <BasicConnection Conn, HubPolicy Policy>
void Session<Conn, Policy>::after_flush() {
    if (state == State::open) {
        if (missed || recovering) [[unlikely]]
            shard_->catch_up(*this);
        return;
    }
    if (!close_sent_ || !queue.empty()) return;
    if constexpr (MessageConnection<Conn> || EitherConnection<Conn>) {
        if (has_engine()) {
            if (!shut_down_) {
                shut_down_ = true;
                auto const& ended = extras().ended;
                connection_.send_close(ended->code, ended->reason);
            }
            if (heard_all_) end({});
            return;
        }
    }
    // RFC 6455 7.1.1: the server ends first, and waits for the peer's end, so that no reset overtakes the Close.
    if (!heard_all_ || shut_down_) return;
    shut_down_ = true;
    connection_.shutdown();
}

template <BasicConnection Conn, HubPolicy Policy>
void Session<Conn, Policy>::push_control(ws::Opcode opcode, std::string_view payload, bool last) {
    ws::BlockPool& pool = shard_->delivery().pool();
    ws::Block* block = pool.make(payload.size() + 2);
    block->size = static_cast<std::uint32_t>(
        ws::encode_server_frame(block->bytes, opcode, std::as_bytes(std::span(payload.data(), payload.size()))));
    if (last)
        queue.push_last_control(block, 0, block->size);
    else
        queue.push_control(block, 0, block->size);
    pool.release(block);
}

template <BasicConnection Conn, HubPolicy Policy>
void Session<Conn, Policy>::pause(std::uint32_t why) {
    if (state == State::closed) return;
    if (!paused_) connection_.pause_reading();
    paused_ |= why & paused_by_anything;
}

template <BasicConnection Conn, HubPolicy Policy>
void Session<Conn, Policy>::resume(std::uint32_t why) {
    if (!(paused_ & why) || state == State::closed) return;
    paused_ &= ~why & paused_by_anything;
    if (paused_) return;
    heard_at_ = shard_->tick();  // it could not be heard
    connection_.resume_reading();
    // What was kept is decoded in a turn of its own: `resume_reading` may be called inside a hook of this very session.
    shard_->after(id(), std::chrono::milliseconds(0), [](Session& session) {
        if (!session.is_paused() && session.hears()) session.resume_inbound();
    });
}

template <BasicConnection Conn, HubPolicy Policy>
void Session<Conn, Policy>::begin_close(CloseCode code, std::string_view reason, CloseInfo::By by, Pending pending) {
    if (state == State::closed || close_sent_) return;
    Delivery& delivery = shard_->delivery();
    if (state == State::open) delivery.catch_up(*this);  // what was published before the Close comes before it
    state = State::closing;
    if (pending == Pending::drop) delivery.admission().drop_free(*this);
    extras().ended = CloseInfo{code, std::string(reason), by};
    close_sent_ = true;
    progress_at_ = shard_->tick();
    if (!has_engine()) {
        std::array<std::byte, ws::max_control_payload> payload;
        std::size_t const size = code == CloseCode::no_status ? 0 : ws::encode_close_payload(payload, code, reason);
        push_control(ws::Opcode::close, {reinterpret_cast<char const*>(payload.data()), size}, true);
    }
    if (paused_) {  // the peer's Close is to be heard
        paused_ = 0;
        connection_.resume_reading();
    }
    if (queue.empty()) after_flush();
    delivery.admission().want_flush(*this);
    shard_->reschedule(*this);
    shard_->note_closing(*this);
}

template <BasicConnection Conn, HubPolicy Policy>
void Session<Conn, Policy>::end(CloseInfo info, bool reset) {
    if (state == State::closed) return;
    if (!extras().ended) extras().ended = std::move(info);
    state = State::closed;
    reset ? connection_.reset() : connection_.close();
    shard_->delivery().admission().drop_all(*this);
    shard_->note_dead(*this);
}

template <BasicConnection Conn, HubPolicy Policy>
void Session<Conn, Policy>::ping() {
    is_pinged_ = true;
    pinged_at_ = shard_->milliseconds();
    if constexpr (MessageConnection<Conn> || EitherConnection<Conn>)
        if (has_engine()) return connection_.send_ping({});
    if (queue.control_frames() == 0) {
        push_control(ws::Opcode::ping, {}, false);
        shard_->delivery().admission().want_flush(*this);
    }
}

/// Does what is due, and says when to look again.
template <BasicConnection Conn, HubPolicy Policy>
std::uint32_t Session<Conn, Policy>::check_time(std::uint32_t tick) {
    auto const& limits = shard_->limits();
    HeartbeatTicks const& heartbeat = this->heartbeat();
    std::uint32_t next = tick + heartbeat.ping_after;
    auto const is_due = [&](std::uint32_t due) {
        if (due <= tick) return true;
        next = std::min(next, due);
        return false;
    };
    if (close_sent_) {
        if (is_due(progress_at_ + limits.close)) end({CloseCode::abnormal, "no Close came", CloseInfo::By::network}, true);
        return next;
    }
    if (blocked || queue.held()) {
        if (is_due(progress_at_ + limits.write)) {
            end({CloseCode::abnormal, "nothing was read within the write limit", CloseInfo::By::us}, true);
            return next;
        }
        shard_->delivery().admission().drop_expired(*this, shard_->now_ticks());
        if (blocked) queue.compact(shard_->delivery().pool(), true);
        next = std::min(next, tick + 10);
    }
    if (is_paused()) {  // it cannot be heard
        heard_at_ = tick;
        if (incomplete_at_) incomplete_at_ = tick;
    }
    if (is_due(heard_at_ + heartbeat.silence)) {
        end({CloseCode::abnormal, "no frame came within the silence limit", CloseInfo::By::us}, true);
        return next;
    }
    if (!is_pinged_ && is_due(heard_at_ + heartbeat.ping_after)) {
        ping();
        next = std::min(next, heard_at_ + heartbeat.silence);
    }
    if (incomplete_at_ && is_due(incomplete_at_ + limits.message))
        begin_close(CloseCode::policy_violation, "a message was not whole within the limit", CloseInfo::By::us, Pending::drop);
    if (!extras_) return next;
    if (extras_->message_at && is_due(extras_->message_at + limits.idle))
        begin_close(CloseCode::going_away, "idle", CloseInfo::By::us, Pending::flush);
    if (extras_->lifetime_ends_at && is_due(extras_->lifetime_ends_at))
        begin_close(CloseCode::service_restart, "the session has lived its time", CloseInfo::By::us, Pending::flush);
    if (extras_->identity.expires_at) check_expiry(tick, next);
    return next;
}

/// When the program is to be warned. Of what lives shorter than twice the time of the warning, in the middle of its life: who refreshes
/// an identity with such a one is not asked for the next at once.
template <BasicConnection Conn, HubPolicy Policy>
void Session<Conn, Policy>::plan_warning() {
    std::uint32_t const before = shard_->limits().expiry_warning, tick = shard_->tick();
    auto const& expires_at = extras_->identity.expires_at;
    extras_->warn_at = 0;
    if (!expires_at || !before) return;
    std::uint32_t const expires = shard_->due_tick(*expires_at);
    std::uint32_t const left = expires - std::min(expires, tick);
    extras_->warn_at = std::max(tick + 1, expires - std::min(before, left / 2));
}

/// Warns once, and ends the session when the grace is over.
template <BasicConnection Conn, HubPolicy Policy>
void Session<Conn, Policy>::check_expiry(std::uint32_t tick, std::uint32_t& next) {
    std::uint32_t const expires = shard_->due_tick(*extras_->identity.expires_at);
    std::uint32_t const end = expires + std::min(shard_->limits().expiry_grace, ~0u - expires);
    if (end <= tick)
        return begin_close(CloseCode::identity_expired, "the identity has expired", CloseInfo::By::us, Pending::flush);
    next = std::min(next, end);
    std::uint32_t& warn_at = extras_->warn_at;
    if (!warn_at) return;
    if (warn_at > tick) return void(next = std::min(next, warn_at));
    warn_at = 0;
    shard_->note_expiring(*this);
}

}  // namespace hubbub::inline v0
