#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <hubbub/core/ids.hpp>
#include <hubbub/core/shard_loop.hpp>
#include <hubbub/hub/any_handler.hpp>
#include <hubbub/hub/delivery.hpp>
#include <hubbub/hub/handshake.hpp>
#include <hubbub/hub/hub_options.hpp>
#include <hubbub/hub/session.hpp>
#include <hubbub/ws/frame.hpp>

namespace hubbub::inline v0 {

/// The sums of a shard at a quiet moment.
struct ShardSnapshot {
    DeliveryCounts delivery;
    std::uint64_t pending = 0;  ///< messages that are queued
    std::size_t sessions = 0;
    std::size_t handshakes = 0;
    std::size_t topics = 0;
};

/// One loop's part of a hub: its sessions, their topics, and what happens at the end of each turn.
///
/// A topic's *owner* shard, by a seeded hash of its name, gives each publication its place; publications, subscriptions and
/// their answers travel between two shards in one first-in, first-out channel, so that who joins hears nothing twice and misses
/// nothing.
///
/// Threading: its loop's. Lifetime: shared by the hub and by what is posted to the loop.
template <ByteConnection Conn>
class Shard final : public TurnHook, public std::enable_shared_from_this<Shard<Conn>> {
   public:
    using SessionType = Session<Conn>;
    using Driver = typename Conn::Driver;
    using Shards = std::vector<std::shared_ptr<Shard>>;

    Shard(ShardLoop& loop, ShardIndex index, HubOptions const& options, typename Driver::Options const& driver, SipHash hash,
          AnyHandler<SessionType> handler)
        : loop_(loop),
          index_(index),
          options_(options),
          hash_(hash),
          handler_(std::move(handler)),
          driver_(std::make_unique<Driver>(loop, driver)),
          delivery_(options.queue, hash),
          now_(loop.now()) {}

    ~Shard() { tear_down(); }

    /// Once, before anything else. `all` outlives every shard's work.
    void begin(Shards const& all) {
        all_ = &all;
        loop_.attach(this);
        loop_.wake_at(loop_.now() + tick);
    }

    ShardLoop& loop() noexcept { return loop_; }
    Driver& driver() noexcept { return *driver_; }
    Delivery& delivery() noexcept { return delivery_; }
    AnyHandler<SessionType>& handler() noexcept { return handler_; }
    HubOptions const& options() const noexcept { return options_; }
    TimePoint now() const noexcept { return now_; }

    /// A connection that was accepted: its handshake begins.
    void accept(typename Conn::Socket socket) {
        if (ended_) return;
        handshakes_.push_back(std::make_unique<Handshake<Conn>>(Conn(*driver_, std::move(socket)), delivery_.pool(), options_, now_));
        handshakes_.back()->start();
        loop_.request_turn();
    }

    PublishResult publish(std::string_view topic, MessageView message, SessionId except);
    bool subscribe(SessionType& session, std::string_view topic);
    bool unsubscribe(SessionType& session, std::string_view topic);
    SessionType* find(SessionId id) noexcept {
        if (id.shard != index_ || id.index >= sessions_.size()) return nullptr;
        SessionType* const session = sessions_[id.index].get();
        return session && session->id().generation == id.generation ? session : nullptr;
    }
    std::size_t session_count() const noexcept { return sessions_.size() - free_.size(); }
    template <class Visit>
    void each_session(Visit&& visit) {
        for (auto& session : sessions_)
            if (session) visit(*session);
    }
    ShardSnapshot snapshot() {
        ShardSnapshot result{delivery_.counts(), 0, session_count(), handshakes_.size(), delivery_.topics().size()};
        each_session([&result](SessionType& session) { result.pending += static_cast<Subscriber&>(session).queue.messages(); });
        return result;
    }

    // ---- what sessions tell
    void note_closing(SessionType& session) { closing_.push_back(&session); }
    void note_dead(SessionType& session) {
        dead_.push_back(&session);
        loop_.request_turn();
    }
    void note_holding(SessionType& session) { holding_.push_back(&session); }

    /// Everything goes, without a hook: the hub is destroyed.
    void tear_down() {
        if (std::exchange(ended_, true)) return;
        loop_.attach(nullptr);
        for (auto& session : sessions_)
            if (session) {
                session->end({});
                delivery_.leave_all(*session);
            }
        delivery_.fan_out();
        sessions_.clear();
        handshakes_.clear();
        driver_.reset();  // while the loop that it watches is whole
    }

    void on_turn_begin() noexcept override { now_ = loop_.now(); }
    void on_turn_end() noexcept override;
    void on_wake() noexcept override;

   private:
    static constexpr std::chrono::milliseconds tick{250};

    std::size_t owner_of(std::string_view topic) const noexcept { return hash_(topic) % all_->size(); }
    void open(Conn&& connection, Upgrade upgrade);
    void open_ready();
    void sequence(std::string_view topic, MessageView message, SessionId except);
    void deliver(std::string_view topic, std::uint64_t position, MessageView message, SessionId except);
    void interest(std::string_view topic, ShardIndex from);
    void acknowledge(std::string_view topic, std::uint64_t position);
    void forget_if_lonely(std::uint32_t number);
    void close_phase();
    template <class Call>
    void post_to(std::size_t shard, Call call) {
        auto const& target = (*all_)[shard];
        target->loop_.post([target, call = std::move(call)]() mutable {
            if (!target->ended_) call(*target);
        });
    }

    ShardLoop& loop_;
    ShardIndex index_;
    HubOptions const& options_;
    SipHash hash_;
    AnyHandler<SessionType> handler_;
    std::unique_ptr<Driver> driver_;
    Delivery delivery_;
    TimePoint now_;
    Shards const* all_ = nullptr;
    bool ended_ = false;
    std::uint32_t generations_ = 0;
    std::uint16_t next_shard_ = 0;
    std::vector<std::unique_ptr<Handshake<Conn>>> handshakes_;
    std::vector<std::unique_ptr<SessionType>> sessions_;
    std::vector<std::uint32_t> free_;
    std::vector<Subscriber*> flushing_;
    std::vector<SessionType*> closing_, dead_, burying_, holding_;
    std::vector<std::uint32_t> lonely_;
};

template <ByteConnection Conn>
PublishResult Shard<Conn>::publish(std::string_view topic, MessageView message, SessionId except) {
    if (ended_) return PublishResult::closed;
    if (!delivery_.fits(message.size())) return PublishResult::too_big;
    std::size_t const owner = owner_of(topic);
    if (owner == index_.value) {
        sequence(topic, message, except);
        loop_.request_turn();
    } else {
        post_to(owner, [topic = std::string(topic), frame = Frame(message), except](Shard& shard) {
            shard.sequence(topic, frame.message(), except);
        });
    }
    return PublishResult::accepted;
}

/// The owner gives a publication its place, and passes it on to the shards that have members.
template <ByteConnection Conn>
void Shard<Conn>::sequence(std::string_view topic, MessageView message, SessionId except) {
    auto const number = delivery_.topics().find(topic);
    if (!number) return;  // nobody is subscribed anywhere
    Topic& known = delivery_.topics()[*number];
    ++known.position;
    delivery_.publish(*number, message, find(except));
    if (!known.interested_shards) return;
    Frame const frame(message);
    for (std::size_t shard = 0; shard < all_->size(); ++shard)
        if (known.interested_shards >> shard & 1)
            post_to(shard, [topic = std::string(topic), frame, except, position = known.position](Shard& target) {
                target.deliver(topic, position, frame.message(), except);
            });
}

template <ByteConnection Conn>
void Shard<Conn>::deliver(std::string_view topic, std::uint64_t position, MessageView message, SessionId except) {
    auto const number = delivery_.topics().find(topic);
    if (!number) return;
    delivery_.topics()[*number].position = position;
    delivery_.publish(*number, message, find(except));
}

template <ByteConnection Conn>
bool Shard<Conn>::subscribe(SessionType& session, std::string_view topic) {
    std::uint32_t const number = delivery_.topics().intern(topic);
    if (static_cast<Subscriber&>(session).find(number)) return false;
    Topic& known = delivery_.topics()[number];
    bool const owned = owner_of(topic) == index_.value;
    delivery_.join(session, number, !owned && known.interest != Topic::Interest::acknowledged);
    if (!owned && known.interest == Topic::Interest::none) {
        known.interest = Topic::Interest::asked;
        post_to(owner_of(topic), [topic = std::string(topic), from = index_](Shard& owner) { owner.interest(topic, from); });
    }
    return true;
}

template <ByteConnection Conn>
void Shard<Conn>::interest(std::string_view topic, ShardIndex from) {
    Topic& known = delivery_.topics()[delivery_.topics().intern(topic)];
    known.interested_shards |= std::uint64_t{1} << from.value;
    // The answer is behind what was published before, and in front of what comes.
    post_to(from.value, [topic = std::string(topic), position = known.position](Shard& shard) { shard.acknowledge(topic, position); });
}

template <ByteConnection Conn>
void Shard<Conn>::acknowledge(std::string_view topic, std::uint64_t position) {
    auto const number = delivery_.topics().find(topic);
    HUBBUB_ASSERT(number);  // a topic that has asked is kept
    Topic& known = delivery_.topics()[*number];
    known.interest = Topic::Interest::acknowledged;
    known.position = position;
    delivery_.admit(known);
    if (known.members.empty()) lonely_.push_back(*number);
}

template <ByteConnection Conn>
bool Shard<Conn>::unsubscribe(SessionType& session, std::string_view topic) {
    auto const number = delivery_.topics().find(topic);
    if (!number || !static_cast<Subscriber&>(session).find(*number)) return false;
    delivery_.leave(session, *number);
    if (delivery_.topics()[*number].members.empty()) lonely_.push_back(*number);
    return true;
}

/// On the tick, so that a topic whose last member comes back at once is not asked for again.
template <ByteConnection Conn>
void Shard<Conn>::forget_if_lonely(std::uint32_t number) {
    Topic& topic = delivery_.topics()[number];
    if (topic.name.empty() || !topic.members.empty() || !topic.run.empty() || topic.interest == Topic::Interest::asked) return;
    std::size_t const owner = owner_of(topic.name);
    if (owner == index_.value) {
        if (topic.interested_shards) return;
    } else if (topic.interest == Topic::Interest::acknowledged) {
        post_to(owner, [topic = topic.name, from = index_](Shard& shard) {
            if (auto const known = shard.delivery_.topics().find(topic)) {
                shard.delivery_.topics()[*known].interested_shards &= ~(std::uint64_t{1} << from.value);
                shard.lonely_.push_back(*known);
            }
        });
    }
    delivery_.topics().erase(number);
}

template <ByteConnection Conn>
void Shard<Conn>::open(Conn&& connection, Upgrade upgrade) {
    std::uint32_t index;
    if (free_.empty()) {
        index = static_cast<std::uint32_t>(sessions_.size());
        sessions_.emplace_back();
    } else {
        index = free_.back();
        free_.pop_back();
    }
    sessions_[index] = std::make_unique<SessionType>(*this, SessionId{index, ++generations_, index_}, std::move(connection),
                                                     std::move(upgrade.request));
    SessionType& session = *sessions_[index];
    session.heard_at_ = session.progress_at_ = now_;
    ws::Block* const block = delivery_.pool().make(upgrade.response.size());
    std::memcpy(block->bytes, upgrade.response.data(), upgrade.response.size());
    block->size = static_cast<std::uint32_t>(upgrade.response.size());
    static_cast<Subscriber&>(session).queue.push_opaque(block, block->size);
    delivery_.pool().release(block);
    delivery_.want_flush(session);
    session.connection_.start(session);
    try {
        handler_.on_open(session);
    } catch (...) {
        session.close(CloseCode::internal_error, "internal error");
    }
    if (!upgrade.beyond.empty()) session.on_bytes(upgrade.beyond);
}

/// Handshakes that ended well become sessions, here or on the shard whose turn it is.
template <ByteConnection Conn>
void Shard<Conn>::open_ready() {
    for (std::size_t i = 0; i < handshakes_.size();) {
        Handshake<Conn>& handshake = *handshakes_[i];
        if (handshake.is_ready()) {
            std::size_t const target = next_shard_ = static_cast<std::uint16_t>((next_shard_ + 1u) % all_->size());
            if (target == index_.value) {
                open(std::move(handshake.connection()), handshake.take_upgrade());
            } else {
                post_to(target, [socket = handshake.connection().detach(), upgrade = handshake.take_upgrade()](Shard& shard) mutable {
                    shard.open(Conn(*shard.driver_, std::move(socket)), std::move(upgrade));
                });
            }
        } else if (!handshake.is_over()) {
            ++i;
            continue;
        }
        handshakes_[i] = std::move(handshakes_.back());
        handshakes_.pop_back();
    }
}

template <ByteConnection Conn>
void Shard<Conn>::on_turn_end() noexcept {
    open_ready();
    do {
        delivery_.fan_out();
        for (Subscriber* const subscriber : delivery_.overflowed())
            static_cast<SessionType*>(subscriber)->begin_close(CloseCode::try_again_later, "too slow", CloseInfo::By::us,
                                                               SessionType::Pending::drop);
        delivery_.overflowed().clear();
        flushing_.swap(delivery_.flush_list());
        for (std::size_t i = 0; i < flushing_.size(); ++i) {
            if (i + 4 < flushing_.size()) __builtin_prefetch(flushing_[i + 4]);
            static_cast<SessionType*>(flushing_[i])->flush();
        }
        flushing_.clear();
        driver_->commit();
        for (SessionType* const session : holding_)  // what is held now the connection has copied
            if (!session->queue.empty()) session->queue.compact(delivery_.pool(), true);
        holding_.clear();
        close_phase();
    } while (delivery_.has_work());
    delivery_.end_turn();
    for (SessionType* const session : burying_) {
        free_.push_back(session->id().index);
        sessions_[session->id().index].reset();
    }
    burying_.clear();
}

/// The only place but the dispatch of events where user code runs.
template <ByteConnection Conn>
void Shard<Conn>::close_phase() {
    auto const leave = [this](SessionType& session) {
        static_cast<Subscriber&>(session).each_membership(
            [this](Subscriber::Membership const& membership) { lonely_.push_back(membership.topic); });
        delivery_.leave_all(session);
    };
    for (std::size_t i = 0; i < closing_.size(); ++i) leave(*closing_[i]);
    closing_.clear();
    for (std::size_t i = 0; i < dead_.size(); ++i) {
        SessionType& session = *dead_[i];
        leave(session);
        try {
            handler_.on_close(session, *session.ended_);
        } catch (...) {
        }
        burying_.push_back(&session);
    }
    dead_.clear();
}

template <ByteConnection Conn>
void Shard<Conn>::on_wake() noexcept {
    now_ = loop_.now();
    each_session([this](SessionType& session) { session.check_time(now_); });
    for (auto& handshake : handshakes_) handshake->check_time(now_);
    for (std::uint32_t const number : std::exchange(lonely_, {})) forget_if_lonely(number);
    delivery_.pool().trim();
    loop_.wake_at(now_ + tick);
}

}  // namespace hubbub::inline v0
