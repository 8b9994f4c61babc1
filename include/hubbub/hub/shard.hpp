#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <hubbub/core/completes.hpp>
#include <hubbub/core/entropy.hpp>
#include <hubbub/core/probe.hpp>
#include <hubbub/core/small_random.hpp>
#include <hubbub/core/top_list.hpp>
#include <hubbub/hub/any_handler.hpp>
#include <hubbub/hub/collect_options.hpp>
#include <hubbub/hub/hub_shared.hpp>
#include <hubbub/hub/memory_account.hpp>
#include <hubbub/hub/reception.hpp>
#include <hubbub/hub/revocation.hpp>
#include <hubbub/hub/session.hpp>
#include <hubbub/hub/session_handle.hpp>
#include <hubbub/hub/session_table.hpp>
#include <hubbub/hub/shard_drain.hpp>
#include <hubbub/hub/shard_measures.hpp>
#include <hubbub/hub/shard_snapshot.hpp>
#include <hubbub/hub/throttle.hpp>
#include <hubbub/hub/timers.hpp>
#include <hubbub/hub/topic_listing.hpp>
#include <hubbub/hub/topic_router.hpp>

namespace hubbub::inline v0 {

/// One loop's part of a hub: its sessions, and what happens in each turn.
///
/// User code runs in three places only: while events and posted functions are dispatched, while mail is read (`on_subscribed` of
/// topics that remember, and the codec), and in the close phase. Fan-out and flush
/// walk plain vectors that stand still.
///
/// Threading: its loop's. Lifetime: shared by the hub and by the function that ends it.
///
/// Why it is long: it is where the parts meet, and the order of a turn has to be seen in one place.
template <BasicConnection Conn, HubPolicy Policy>
class Shard final : private TurnHook, private RouterHost {
   public:
    using SessionType = Session<Conn, Policy>;
    using Driver = typename Conn::Driver;
    using Router = TopicRouter<Policy>;

    /// Durations in ticks.
    struct TickLimits {
        std::uint32_t message, write, close, idle, lifetime, expiry_warning, expiry_grace;
    };
    using Shared = HubShared<Conn, Policy>;

    Shard(ShardLoop& loop, ShardIndex index, std::shared_ptr<Shared> shared, typename Driver::Options const& driver,
          AnyHandler<SessionType> handler);
    ~Shard() { tear_down(); }

    ShardLoop& loop() noexcept { return loop_; }
    ShardIndex index() const noexcept { return index_; }
    std::uint64_t node() const noexcept { return shared_->node; }
    Driver& driver() noexcept { return *driver_; }
    Router& router() noexcept { return router_; }
    bool has_ended() const noexcept { return ended_ || shared_->is_over.load(std::memory_order_relaxed); }

    // ---- connections

    /// A connection whose request is still to be read, but for `read`.
    void accept(typename Conn::Socket socket, std::span<std::byte> read = {})
        requires ByteConnection<Conn>
    {
        if (ended_) return;
        now_ = loop_.now();
        reception_.accept(Conn(*driver_, std::move(socket)), now_, read);
        loop_.request_turn();
    }
    /// A connection that is upgraded, here; see Upgrade.
    void adopt(typename Conn::Socket socket, Upgrade upgrade) {
        shared_->loads.enter(index_);
        open(Conn(*driver_, std::move(socket)), std::move(upgrade));
    }
    /// The same on the shard that the policy chooses.
    void place(typename Conn::Socket socket, Upgrade upgrade) {
        ShardIndex const target = choose_shard(socket.peer(), upgrade);
        if (target == index_) return adopt(std::move(socket), std::move(upgrade));
        shared_->post(target, [socket = std::move(socket), upgrade = std::move(upgrade)](Shard& shard) mutable {
            shard.adopt(std::move(socket), std::move(upgrade));
        });
    }

    // ---- what sessions and the hub ask for

    SessionType* find(SessionId id) noexcept { return id.shard == index_ ? sessions_.find(id) : nullptr; }
    void publish(std::string_view topic, MessageView message, Frame const* frame, PublishOptions&& options) {
        router_.publish(topic, outgoing(message, frame, std::move(options), now_));
    }
    /// The same on the loop's thread, maybe outside of a turn.
    void publish_between_turns(std::string_view topic, MessageView message, Frame const* frame, PublishOptions&& options) {
        if (!loop_.in_turn()) set_time();
        publish(topic, message, frame, std::move(options));
        loop_.request_turn();
    }
    void send(SessionId to, MessageView message, Frame const* frame) {
        if (to.shard == index_) return on_direct(to, message);
        router_.send(to, message, frame);
        loop_.request_turn();
    }
    static Outgoing outgoing(MessageView message, Frame const* frame, PublishOptions&& options, TimePoint now);
    SessionHandle<Conn, Policy> handle(SessionId id) const { return {shared_, id}; }
    template <class F>
    void visit(SessionId id, F& function) {
        if (SessionType* const session = find(id)) call_on(*session, CallbackKind::posted, [&] { function(*session); });
        loop_.request_turn();
    }
    SubscribeResult subscribe(SessionType& session, std::string_view topic, SubscribeOptions const& options);
    bool unsubscribe(SessionType& session, std::string_view topic);
    /// What the authorization said about a subscription; `on_subscribed` is told later in the turn.
    void decide_subscription(SessionType& session, std::string_view topic, SubscribeOptions const& options, bool allowed);
    /// False: it is a member already.
    bool join_internal(SessionType& session, std::string_view topic) {
        std::uint32_t const number = router_.intern(topic);
        if (static_cast<Subscriber&>(session).find(number)) return false;
        router_.subscribe(session, number, session.id(), {}, session.variant());
        return true;
    }
    void leave_internal(SessionType& session, std::string_view topic) { (void)unsubscribe(session, topic); }
    /// One more connection of a user. False: he has as many as he may.
    bool lease_user(Identity const& who, LimitTable::UserLease& lease) {
        return shared_->limits.take(who.user, reception_.most_of_user(who), lease) == LimitTable::Refused::none;
    }
    template <class F>
    void after(SessionId id, std::chrono::milliseconds delay, F&& function) {
        timers_.add(loop_.now() + delay, [this, id, function = std::forward<F>(function)]() mutable {
            if (SessionType* const session = find(id)) call_on(*session, CallbackKind::timer, [&] { function(*session); });
        });
        arm_timer();
    }
    /// Closes all members of an internal topic that live here.
    void close_members(std::string_view topic, CloseCode code, std::string_view reason);
    /// Ends their subscriptions to another topic.
    void unsubscribe_members(std::string_view target, std::string_view topic);
    /// Ends what is revoked and lives here.
    void revoke(Revocation const& revocation);
    /// The same, and once more on the other shards: behind whom this one had let in and sent there.
    void revoke_everywhere(Revocation const& revocation);
    void close_all(CloseCode code, std::string_view reason) {
        sessions_.each([&](SessionType& session) { session.close(code, reason); });
    }
    void drain(std::shared_ptr<Drain> drain);
    /// Everything goes, without a hook: the hub is destroyed.
    void tear_down();
    ShardSnapshot snapshot(CollectOptions const& options = {});

    // ---- for sessions only

    Delivery& delivery() noexcept { return delivery_; }
    HubOptions<Policy> const& options() const noexcept { return shared_->options; }
    TickLimits const& limits() const noexcept { return limits_; }
    HeartbeatTicks const& uniform_heartbeat() const noexcept { return uniform_heartbeat_; }
    typename Policy::Access& access() noexcept { return access_; }
    typename Policy::Compression& compression() noexcept { return compression_; }
    ws::DecoderLimits const& limits_of_compressed() const noexcept { return limits_of_compressed_; }
    std::uint32_t tick() const noexcept { return tick_; }
    std::int64_t now_ticks() const noexcept override { return now_.time_since_epoch().count(); }
    bool is_short_of_memory() noexcept override {
        return memory_.budget().is_high() && delivery_.pool().ledger().used() > memory_.budget().part() / 2;
    }
    std::uint32_t tick_of(TimePoint when) const noexcept {
        return when <= begun_ ? 0 : static_cast<std::uint32_t>((when - begun_) / tick_length);
    }
    static std::chrono::milliseconds duration(std::uint32_t ticks) noexcept { return ticks * tick_length; }
    /// The same for a time that may lie far ahead.
    std::uint32_t due_tick(TimePoint when) const noexcept {
        return when <= begun_ ? 0 : static_cast<std::uint32_t>(std::min<std::int64_t>((when - begun_) / tick_length, ~0u));
    }
    TimePoint now() const noexcept { return now_; }
    std::uint32_t milliseconds() const noexcept {
        return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now_ - begun_).count());
    }
    void reschedule(SessionType& session) { wheel_.schedule(session.id().index, session.check_time(tick_), tick_, links()); }
    void note_received(std::size_t bytes) noexcept {
        ++received_;
        received_bytes_ += bytes;
    }
    /// A session has sent so many bytes of payload, in a message, a fragment or a control frame.
    void note_use(SessionType& session, std::size_t bytes) {
        if constexpr (!never_limits<typename Policy::Rates>) {
            if (session.state != Subscriber::State::open) return;
            if (!find_talker(session)) return;
            Duration const wait = throttle_.note_message(throttle_.talkers()[session.talker_], session.identity(), bytes, now_,
                                                         [&session] { return session.peer(); });
            if (wait > Duration::zero()) [[unlikely]]
                throttle(session, wait);
        }
    }
    void note_write() noexcept { ++writes_; }
    void note_written(std::uint32_t bytes) noexcept { written_bytes_ += bytes; }
    /// A session keeps up again: it is told what it has missed, and goes on with what it recovers.
    [[gnu::noinline]] void catch_up(SessionType& session) {
        if (session.missed) tell_gap(session, session.take_missed());
        if (session.recovering) router_.go_on(session);
    }
    void note_identity(SessionType& session) { router_.note_identity(session); }
    /// What it has queued is much: it goes out in parts, behind what others have queued, and over several turns if need be.
    void flush_in_parts(SessionType& session) {
        session.in_flush_list = true;
        large_.push_back(session.id());
    }
    void note_closing(SessionType& session) { closing_.push_back(&session); }
    void note_dead(SessionType& session) {
        dead_.push_back(&session);
        loop_.request_turn();
    }
    /// A session keeps so much of what came in, instead of that.
    void note_kept(std::size_t now, std::size_t before) {
        kept_ += now - before;  // wraps, and comes out right
        if (now > before && (unsettled_ += now - before) >= MemoryAccount::step) settle_memory();
    }
    void note_expiring(SessionType& session) { told_.push_back({Told::What::expiring, session.id(), 0, {}}); }
    void note_holding(SessionType& session) { holding_.push_back(&session); }
    void note_round_trip(std::uint32_t pinged_at) noexcept {
        std::uint32_t const now = milliseconds();
        if (!pinged_at || now < pinged_at) return;
        round_trip_ = (round_trip_ * 7 + (now - pinged_at)) / 8;
        meter_.sums().round_trips.observe(std::chrono::milliseconds(now - pinged_at));
    }
    /// Calls `function(session, page)` for who reads, on his loop, with what the owner of a topic answers.
    template <class Page, class F>
    auto for_reader(SessionId reader, F function) {
        return [shared = shared_, reader, function = std::move(function)](Page const& page) mutable {
            shared->post(reader.shard, [reader, page, function = std::move(function)](Shard& shard) mutable {
                auto on_page = [&](SessionType& session) { function(session, page); };
                shard.visit(reader, on_page);
            });
        };
    }
    /// What the owner of a topic is asked once it has read what this shard has written to it before.
    void ask_owner(UniqueFunction<void(Shared&)> ask) {
        behind_mail_.push_back([this, ask = std::move(ask)]() mutable { ask(*shared_); });
        loop_.request_turn();
    }
    bool is_congested(std::string_view topic) const noexcept { return router_.is_congested(topic); }
    /// Does not read from who publishes, until the mail gets through.
    void hold_back(SessionType& session) {
        session.pause(SessionType::paused_by_congestion);
        held_back_.push_back(session.id());
    }
    void tell_gap(SessionType& session, std::uint64_t missed) {
        tell_event({"messages_dropped", session.id(), "slow_consumer", missed});
        if (auto const notice = codec_.gap_notice(missed)) delivery_.notify(session, notice->message());
    }
    /// A question whose answer `then(session, answer)` gets, on this loop, if it does not come at once.
    template <class Answer, class Then>
    Asked<Answer> ask(SessionId id, Then then) {
        return Asked<Answer>(
            [port = shared_->ports[index_.value], alive = std::weak_ptr<bool>(alive_), this, id, then](Answer answer) {
                port->post([alive, this, id, then, answer = std::move(answer)]() mutable {
                    if (alive.expired()) return;
                    if (SessionType* const session = find(id)) then(*session, std::move(answer));
                });
            });
    }
    void tell_event(Event const& event) noexcept {
        if (!has_ended()) hubbub::tell_event(events_, event);
    }
    /// Calls a hook. What it throws ends the session with 1011.
    /// `row`: it is one of a row, which `end_row` ends.
    template <class Call, class... Row>
    [[gnu::always_inline]] void call(SessionType& session, CallbackKind hook, Call&& function, Row&... row) {
        call_on(session, hook, [&] { function(handler_); }, row...);
    }
    void end_row(SessionType const& session, CallbackKind hook, CallbackTimes::Row& row) {
        meter_.callbacks().end(hook, row, [&](std::chrono::nanoseconds time) { tell_slow(session, hook, time); });
    }
    /// What a session is sent while it is heard need not wait for the end of the turn.
    bool answers_at_once() const noexcept { return writes_at_once_ && !delivery_.has_runs(); }

   private:
    static constexpr std::chrono::milliseconds tick_length{100};
    // What a turn writes of large queues takes a millisecond or two, which is what small messages of others wait for.
    static constexpr std::uint32_t part_size = 128 * 1024, parts_a_turn = 8;
    static_assert(
        !compresses<Policy> || !ByteConnection<Conn> || requires { DecoderOf<Conn>::takes_compressed; },
        "hubbub: connections whose bytes another library decodes do not compress: Policy::Compression must be "
        "NoCompression for them");

    /// Where an engine below shakes hands.
    struct NoReception {
        template <class... Unused>
        explicit NoReception(Unused&&...) {}
        void clear() {}
        void close() noexcept { closed_ = true; }
        bool is_closed() const noexcept { return closed_; }
        std::size_t size() const noexcept { return 0; }
        std::uint32_t most_of_user(Identity const&) const noexcept { return 0; }
        bool is_idle() const noexcept { return true; }
        std::uint64_t refused(std::size_t) const noexcept { return 0; }
        std::uint64_t unauthenticated(std::size_t) const noexcept { return 0; }
        bool closed_ = false;
    };
    template <class C>
    struct ReceptionOf {
        using type = NoReception;
    };
    template <ByteConnection C>
    struct ReceptionOf<C> {
        using type = Reception<C, Policy>;
    };
    /// What a session is to be told: a subscription that has begun or was refused, or that its identity expires.
    struct Told {
        enum class What : std::uint8_t { subscribed, refused, expiring };
        What what;
        SessionId session;
        std::uint32_t topic;   ///< where it has begun
        std::string the_name;  ///< where it was refused
    };

    void on_turn_begin() noexcept override {
        meter_.begin_turn();
        HUBBUB_PROBE(1, turn_begin, index_.value);
        port().wake_up();
        set_time();
    }
    void on_turn_end() noexcept override;
    void on_wake() noexcept override;

    Subscriber* find_subscriber(SessionId id) noexcept override { return find(id); }
    void on_admitted(std::uint32_t topic, Subscriber& subscriber) override {
        if (!is_internal(topic))
            told_.push_back({Told::What::subscribed, static_cast<SessionType&>(subscriber).id(), topic, {}});
    }
    void on_direct(SessionId id, MessageView message) override {
        if (SessionType* const session = find(id)) session->send(message);
    }

    void on_recovery(SessionId id, Subscription const& subscription) override {
        SessionType* const session = find(id);
        if (session && session->is_open())
            call(*session, CallbackKind::on_subscribed, [&](auto& handler) { handler.on_subscribed(*session, subscription); });
    }
    void on_lost(std::uint32_t topic) override;
    void on_control(ControlMessage const& message) override;
    void on_event(Event const& event) noexcept override { tell_event(event); }
    void on_flushed(std::uint64_t number) noexcept override { drain_.note_flushed(number); }
    SessionId id_of(Subscriber& subscriber) noexcept override { return static_cast<SessionType&>(subscriber).id(); }
    PresenceMember member_of(Subscriber& subscriber) override {
        auto const& session = static_cast<SessionType&>(subscriber);
        return {session.id(), session.identity().user, session.identity().labels, shared_->node};
    }

    ShardPort& port() noexcept { return *shared_->ports[index_.value]; }
    auto links() noexcept {
        return [this](std::uint32_t index) -> WheelLinks& { return sessions_[index].wheel_; };
    }
    auto moves_talker() noexcept {
        return [this](std::uint32_t session, std::uint32_t number) { sessions_[session].talker_ = number & Talkers::most; };
    }
    /// False: it has none, because no rate is set that needs one, or there are too many already.
    bool find_talker(SessionType& session) {
        session.talker_ = throttle_.talker_of(session.talker_, session.id().index, session.identity(), [&session] {
            return session.peer();
        }) & Talkers::most;
        return session.talker_ != Talkers::none;
    }
    bool is_internal(std::uint32_t topic) { return delivery_.topics()[topic].is_internal(); }
    /// False: it threw.
    template <class F, class... Row>
    [[gnu::always_inline]] bool measured(SessionType const& session, CallbackKind hook, F&& function, Row&... row) {
        bool completed = true;
        meter_.callbacks().measure(
            hook, [&] { completed = completes(std::forward<F>(function)); },
            [&](std::chrono::nanoseconds time) { tell_slow(session, hook, time); }, row...);
        if (!completed) [[unlikely]]
            note_throw(session, hook);
        return completed;
    }
    [[gnu::noinline]] void note_throw(SessionType const& session, CallbackKind hook) {
        ++callbacks_threw_;
        tell_event({"callback_threw", session.id(), name_of(hook)});
    }
    [[gnu::noinline]] void tell_slow(SessionType const& session, CallbackKind hook, std::chrono::nanoseconds time) {
        tell_event({"callback_slow", session.id(), name_of(hook), CallbackTimes::in_event(time)});
    }
    template <class F, class... Row>
    [[gnu::always_inline]] void call_on(SessionType& session, CallbackKind hook, F&& function, Row&... row) {
        if (has_ended() || measured(session, hook, std::forward<F>(function), row...)) return;
        session.begin_close(CloseCode::internal_error, "internal error", CloseInfo::By::us, SessionType::Pending::drop);
    }
    void set_time() noexcept {
        now_ = loop_.now();
        tick_ = tick_of(now_);
    }
    /// What does not become smaller becomes a little larger: a message of the greatest size has to pass, however it is sent.
    static ws::DecoderLimits on_the_wire(ws::DecoderLimits const& limits) noexcept {
        std::size_t const more = limits.message / 8 + 64;
        std::size_t const most = std::numeric_limits<std::size_t>::max();
        return {limits.message > most - more ? most : limits.message + more, limits.fragments, true};
    }
    static std::uint32_t ticks(std::chrono::milliseconds duration) noexcept {
        return duration.count() == 0 ? 0u : static_cast<std::uint32_t>(std::max<std::int64_t>(1, duration / tick_length));
    }
    /// At least a tick each: a heartbeat without a pause would look at its session again and again.
    static HeartbeatTicks heartbeat_ticks(HeartbeatTimes times) noexcept {
        return {std::max(1u, ticks(times.ping_after)), std::max(1u, ticks(times.silence_limit))};
    }
    void arm_timer() {
        TimePoint const next = std::min(next_tick_, timers_.next());
        if (next != armed_) loop_.wake_at(armed_ = next);
    }
    void open(Conn&& connection, Upgrade&& upgrade);
    void open_ready();
    ShardIndex choose_shard(PeerAddress const& peer, Upgrade const& upgrade);
    void flush_all();
    void close_phase();
    void tell();
    void release_held_back();
    void go_on_draining();
    void end_drain() {
        if (drain_.is_under_way()) tell_event({.name = "drain_ended", .number = drain_.reset()});
        drain_.end();
    }
    void tell_engine();
    void tell_closed(SessionType& session);
    void run_ticks();
    void throttle(SessionType& session, Duration wait);
    bool may_subscribe(SessionType& session);
    std::vector<SessionSnapshot> list_sessions(CollectOptions const& options);
    void sample();
    void settle_memory();
    void shed(std::size_t excess);

    ShardLoop& loop_;
    ShardIndex index_;
    std::shared_ptr<Shared> shared_;
    TickLimits limits_;
    AnyHandler<SessionType> handler_;
    typename Policy::Access access_;
    typename Policy::Sharding sharding_;
    typename Policy::Heartbeat heartbeat_;
    HeartbeatTicks uniform_heartbeat_{};
    typename Policy::Codec codec_;
    [[no_unique_address]] typename Policy::Compression compression_;
    ws::DecoderLimits limits_of_compressed_;
    typename Policy::EventSink events_;
    std::unique_ptr<Driver> driver_;
    bool writes_at_once_ = writes_at_once(*driver_);
    typename Policy::Overflow overflow_;
    Delivery delivery_;
    MemoryAccount memory_;
    Throttle<typename Policy::Rates> throttle_;
    Router router_;
    ShardMeter meter_;
    typename ReceptionOf<Conn>::type reception_;
    SessionTable<SessionType> sessions_;
    TimingWheel wheel_;
    Timers timers_;
    ShardDrain drain_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< goes with the shard, on its thread
    TimePoint begun_, now_, next_tick_, armed_ = TimePoint::max();
    std::uint32_t tick_ = 1, ran_tick_ = 1;
    bool ended_ = false;
    detail::SmallRandom random_;
    std::uint64_t received_bytes_ = 0, written_bytes_ = 0, continuity_lost_ = 0;
    std::uint64_t opened_ = 0, closed_ = 0, received_ = 0, writes_ = 0, callbacks_threw_ = 0, shed_ = 0, throttled_ = 0;
    std::size_t kept_ = 0;                ///< bytes that sessions keep of what came in
    std::size_t kept_by_handshakes_ = 0;  ///< the same, as of the last tick
    std::size_t unsettled_ = 0;           ///< what of it has come since the budget was looked at
    std::chrono::microseconds lag_{0};
    std::uint32_t round_trip_ = 0;
    std::vector<Subscriber*> flushing_;
    std::deque<SessionId> large_;  ///< sessions that have much to write, by whose turn it is
    std::uint32_t parts_left_ = 0;
    std::vector<SessionType*> closing_, dead_, burying_, holding_;
    std::vector<SessionId> held_back_;
    std::vector<Told> told_, telling_;
    std::vector<UniqueFunction<void()>> behind_mail_;  ///< run when what was written before has been posted
};

template <BasicConnection Conn, HubPolicy Policy>
Shard<Conn, Policy>::Shard(ShardLoop& loop, ShardIndex index, std::shared_ptr<Shared> shared,
                           typename Driver::Options const& driver, AnyHandler<SessionType> handler)
    : loop_(loop),
      index_(index),
      shared_(std::move(shared)),
      handler_(std::move(handler)),
      access_(shared_->options.access),
      sharding_(shared_->options.sharding),
      heartbeat_(shared_->options.heartbeat),
      codec_(shared_->options.codec),
      compression_(shared_->options.compression),
      limits_of_compressed_(on_the_wire(shared_->options.message)),
      events_(make_event_sink<typename Policy::EventSink>(shared_->options.events, {shared_->node, index_})),
      driver_(std::make_unique<Driver>(loop, driver)),
      overflow_(shared_->options.overflow),
      delivery_(shared_->options.queue, overflow_, shared_->hash),
      memory_(shared_->memory),
      throttle_(shared_->options.rates, shared_->rates),
      router_(index, shared_->ports, delivery_, shared_->options, shared_->hash, shared_->draw(2u + index.value), shared_->node,
              *this),
      meter_(shared_->options.slow_callback, loop.is_real_time()),
      reception_(delivery_.pool(), shared_->options, shared_->limits, shared_->ports[index.value], events_, *shared_->memory,
                 throttle_, meter_.callbacks()),
      begun_(loop.now() - tick_length),
      now_(loop.now()),
      next_tick_(now_ + tick_length),
      random_(shared_->draw(100u + index.value)) {
    HubOptions<Policy> const& options = shared_->options;
    limits_ = {ticks(options.message_limit), ticks(options.write_limit),    ticks(options.close_limit),
               ticks(options.idle_limit),    ticks(options.lifetime_limit), ticks(options.expiry_warning),
               ticks(options.expiry_grace)};
    if constexpr (is_uniform_heartbeat<Policy>) uniform_heartbeat_ = heartbeat_ticks(heartbeat_.times_for(Identity{}));
    if constexpr (compresses<Policy>) delivery_.compress_with(compression_);
    loop_.attach(this);
    arm_timer();
    tell_engine();
}

template <BasicConnection Conn, HubPolicy Policy>
Outgoing Shard<Conn, Policy>::outgoing(MessageView message, Frame const* frame, PublishOptions&& options, TimePoint now) {
    Outgoing result{.message = message, .frame = frame, .except = options.except, .key = options.key, .id = options.id};
    if (options.expires_in.count()) result.expires_at = (now + options.expires_in).time_since_epoch().count();
    if (options.on_receipt) result.receipt = make_receipt(std::move(options.on_receipt));
    return result;
}

template <BasicConnection Conn, HubPolicy Policy>
void Shard<Conn, Policy>::open(Conn&& connection, Upgrade&& upgrade) {
    if (ended_) return;
    if (reception_.is_closed()) {  // it was on its way when the drain began, and here that may be over already
        shared_->loads.leave(index_);
        if constexpr (ByteConnection<Conn>)
            if (!upgrade.response.empty()) reception_.accept(std::move(connection), now_);
        return;
    }
    SessionType& session = sessions_.make(index_, *this, std::move(connection), std::move(upgrade.lease));
    ++opened_;
    tell_event({"session_opened", session.id()});
    HUBBUB_PROBE(3, session_open, index_.value, session.id().index, session.id().generation);
    // Jittered from the start, so that a thousand that come together do not ping together.
    if constexpr (!is_uniform_heartbeat<Policy>) session.heartbeat_ = heartbeat_ticks(heartbeat_.times_for(upgrade.identity));
    session.heard_at_ =
        tick_ - std::min(tick_, static_cast<std::uint32_t>(random_() % (session.heartbeat().ping_after / 2 + 1)));
    session.progress_at_ = tick_;
    SessionExtras& extras = session.extras();
    extras.request = std::move(upgrade.request);
    extras.protocol = std::move(upgrade.protocol);
    extras.identity = std::move(upgrade.identity);
    extras.peer = upgrade.peer;
    extras.identity.drop_double_labels();
    extras.own_labels = extras.identity.labels.size();
    session.plan_warning();
    extras.user_lease = std::move(upgrade.user_lease);
    if (limits_.idle) extras.message_at = std::max(tick_, 1u);
    if (limits_.lifetime)
        extras.lifetime_ends_at =
            tick_ + limits_.lifetime - static_cast<std::uint32_t>(random_() % (limits_.lifetime / 10 + 1));
    if (!upgrade.response.empty()) {
        ws::Block* const block = delivery_.pool().make(upgrade.response.size());
        std::memcpy(block->bytes, upgrade.response.data(), upgrade.response.size());
        block->size = static_cast<std::uint32_t>(upgrade.response.size());
        static_cast<Subscriber&>(session).queue.push_opaque(block, block->size);
        delivery_.pool().release(block);
        delivery_.admission().want_flush(session);
    }
    if constexpr (compresses<Policy>) compression_.open(session.compression_, upgrade.compression);
    session.start();
    reschedule(session);
    join_internal(session, internal_topics::all);
    if (!extras.identity.user.empty()) join_internal(session, internal_topics::user(extras.identity.user));
    for (auto const& label : extras.identity.labels) join_internal(session, internal_topics::label(label));
    call(session, CallbackKind::on_open, [&](auto& handler) { handler.on_open(session); });
    if (session.extras_) session.extras_->request.reset();
    session.forget_idle_extras();
    if constexpr (ByteConnection<Conn>)
        if (!upgrade.beyond.empty() && !session.has_engine()) session.on_bytes(upgrade.beyond);
    loop_.request_turn();
}

/// Handshakes that ended well become sessions, here or on the shard that the policy chooses.
template <BasicConnection Conn, HubPolicy Policy>
void Shard<Conn, Policy>::open_ready() {
    if constexpr (ByteConnection<Conn>) {
        reception_.take_ready([this](Conn&& connection, Upgrade&& upgrade, TimePoint accepted) {
            meter_.sums().handshakes.observe(now_ - accepted);
            ShardIndex const target = choose_shard(connection.peer(), upgrade);
            shared_->loads.enter(target);
            if (target == index_) return open(std::move(connection), std::move(upgrade));
            shared_->post(target, [socket = connection.detach(), upgrade = std::move(upgrade)](Shard& shard) mutable {
                shard.open(Conn(*shard.driver_, std::move(socket)), std::move(upgrade));
            });
        });
    }
}

template <BasicConnection Conn, HubPolicy Policy>
ShardIndex Shard<Conn, Policy>::choose_shard(PeerAddress const& peer, Upgrade const& upgrade) {
    auto const count = static_cast<std::uint16_t>(shared_->shard_count);
    if (count == 1) return index_;
    ShardIndex target = index_;
    SessionInfo const info{upgrade.request, upgrade.identity, upgrade.peer.value_or(peer), shared_->loads};
    if (completes([&] { target = sharding_(info, ShardCount{count}); }) && target.value < count) return target;
    tell_event({.name = "policy_threw", .detail = "sharding"});
    return index_;
}

template <BasicConnection Conn, HubPolicy Policy>
SubscribeResult Shard<Conn, Policy>::subscribe(SessionType& session, std::string_view topic, SubscribeOptions const& options) {
    if (auto const known = delivery_.topics().find(topic); known && static_cast<Subscriber&>(session).find(*known))
        return SubscribeResult::already;
    if (!may_subscribe(session)) return SubscribeResult::too_often;
    Identity const& who = session.identity();
    std::size_t const internal = 1 + (who.user.empty() ? 0 : 1) + who.labels.size();  // topics that the session did not ask for
    std::size_t const asked = session.extras_ ? session.extras_->subscriptions.size() : 0;
    if (static_cast<Subscriber&>(session).memberships() + asked >= shared_->options.subscriptions + internal)
        return SubscribeResult::too_many;
    if constexpr (always_agrees<typename Policy::Access>) {
        decide_subscription(session, topic, options, true);
    } else {
        session.ask_to_subscribe(topic, options);
    }
    return SubscribeResult::started;
}

template <BasicConnection Conn, HubPolicy Policy>
bool Shard<Conn, Policy>::may_subscribe(SessionType& session) {
    if constexpr (never_limits<typename Policy::Rates>) {
        return true;
    } else {
        return !find_talker(session) || throttle_.may_subscribe(throttle_.talkers()[session.talker_], session.identity(), now_);
    }
}

/// A session is beyond its rates for so long.
template <BasicConnection Conn, HubPolicy Policy>
void Shard<Conn, Policy>::throttle(SessionType& session, Duration wait) {
    ++throttled_;
    tell_event({"session_throttled", session.id()});
    if (throttle_.on_excess(session.identity()) == RateAction::close)
        return session.begin_close(CloseCode::policy_violation, "too much in a short time", CloseInfo::By::us,
                                   SessionType::Pending::flush);
    session.pause(SessionType::paused_by_rate);
    after(session.id(), std::chrono::ceil<std::chrono::milliseconds>(wait),
          [](SessionType& whose) { whose.resume(SessionType::paused_by_rate); });
}

template <BasicConnection Conn, HubPolicy Policy>
void Shard<Conn, Policy>::decide_subscription(SessionType& session, std::string_view topic, SubscribeOptions const& options,
                                              bool allowed) {
    loop_.request_turn();
    if (!allowed) return told_.push_back({Told::What::refused, session.id(), 0, std::string(topic)});
    std::uint32_t const number = router_.intern(topic);
    if (router_.subscribe(session, number, session.id(), options, session.variant()))
        told_.push_back({Told::What::subscribed, session.id(), number, {}});
}

template <BasicConnection Conn, HubPolicy Policy>
bool Shard<Conn, Policy>::unsubscribe(SessionType& session, std::string_view topic) {
    auto const number = delivery_.topics().find(topic);
    if (!number || !static_cast<Subscriber&>(session).find(*number)) return false;
    auto const is_of_it = [&](Told const& each) {
        return each.what == Told::What::subscribed && each.session == session.id() && each.topic == *number;
    };
    std::erase_if(told_, is_of_it);
    for (Told& each : telling_)  // of which some have been told
        if (is_of_it(each)) each.session = {};
    router_.unsubscribe(session, *number);
    return true;
}

template <BasicConnection Conn, HubPolicy Policy>
void Shard<Conn, Policy>::on_lost(std::uint32_t number) {
    if (is_internal(number)) return;
    ++continuity_lost_;
    Topic const& topic = delivery_.topics()[number];
    std::vector<SessionId> whose;  // hooks may leave the topic
    for (Topic::Member const& member : topic.members)
        if (!member.waits()) whose.push_back(static_cast<SessionType*>(member.subscriber)->id());
    Subscription const told{topic.name, true, topic.remembers ? topic.position : Position{}, false, topic.remembers};
    for (SessionId const id : whose)
        if (SessionType* const session = find(id); session && session->is_open())
            call(*session, CallbackKind::on_continuity_lost,
                 [&](auto& handler) { handler.on_continuity_lost(*session, told); });
}

template <BasicConnection Conn, HubPolicy Policy>
void Shard<Conn, Policy>::close_members(std::string_view topic, CloseCode code, std::string_view reason) {
    auto const number = delivery_.topics().find(topic);
    if (!number) return;
    for (Topic::Member const& member : delivery_.topics()[*number].members)  // closing leaves the topic only in the close phase
        static_cast<SessionType*>(member.subscriber)->close(code, reason);
}

template <BasicConnection Conn, HubPolicy Policy>
void Shard<Conn, Policy>::unsubscribe_members(std::string_view target, std::string_view topic) {
    auto const number = delivery_.topics().find(target);
    if (!number) return;
    std::vector<SessionType*> members;  // where both are the same topic, the list changes
    for (Topic::Member const& member : delivery_.topics()[*number].members)
        members.push_back(static_cast<SessionType*>(member.subscriber));
    for (SessionType* const session : members)
        if (session->is_open()) (void)unsubscribe(*session, topic);
}

/// What another node has said. On the owner of the topic for that, which tells the other shards.
template <BasicConnection Conn, HubPolicy Policy>
void Shard<Conn, Policy>::on_control(ControlMessage const& message) {
    using Kind = ControlMessage::Kind;
    if (message.kind == Kind::revoke) return revoke_everywhere(Revocation::of(message.target, message.reason));
    for (std::size_t i = 0; i < shared_->shard_count; ++i)
        shared_->post({static_cast<std::uint16_t>(i)}, [message](Shard& shard) {
            if (message.kind == Kind::close)
                shard.close_members(message.target, message.code, message.reason);
            else
                shard.unsubscribe_members(message.target, message.topic);
        });
}

template <BasicConnection Conn, HubPolicy Policy>
void Shard<Conn, Policy>::revoke(Revocation const& revocation) {
    auto const end = [&](SessionType& session) {
        session.begin_close(CloseCode::identity_revoked, revocation.reason, CloseInfo::By::us, SessionType::Pending::drop);
    };
    if (revocation.name.empty()) {
        if (SessionType* const session = find(revocation.session)) end(*session);
        return;
    }
    auto const number = delivery_.topics().find(revocation.name);
    if (!number) return;
    for (Topic::Member const& member : delivery_.topics()[*number].members) end(*static_cast<SessionType*>(member.subscriber));
}

template <BasicConnection Conn, HubPolicy Policy>
void Shard<Conn, Policy>::revoke_everywhere(Revocation const& revocation) {
    open_ready();  // whose verdict has come before
    revoke(revocation);
    for (std::size_t i = 0; i < shared_->shard_count; ++i)
        if (i != index_.value)
            shared_->post(ShardIndex{static_cast<std::uint16_t>(i)}, [revocation](Shard& shard) { shard.revoke(revocation); });
}

template <BasicConnection Conn, HubPolicy Policy>
void Shard<Conn, Policy>::drain(std::shared_ptr<Drain> drain) {
    if (ended_) return drain->shard_is_done();
    if (!drain_.begin(std::move(drain), loop_.now())) return;
    tell_event({.name = "drain_begun", .number = sessions_.size()});
    reception_.close();
    loop_.request_turn();
}

/// Nobody is here any more. What the last of them published goes to the owners of its topics, which may be empty for long, and only then
/// to the brokers: so all shards have to be empty before each of them asks whether the brokers have it all.
template <BasicConnection Conn, HubPolicy Policy>
void Shard<Conn, Policy>::go_on_draining() {
    if constexpr (RemoteBackplane<typename Policy::Backplane>) {
        if (router_.post_office().is_congested(index_) && !drain_.is_late(now_)) return;
        if (drain_.tell_empty())
            for (std::size_t i = 0; i < shared_->shard_count; ++i)
                shared_->post(ShardIndex{static_cast<std::uint16_t>(i)}, [](Shard& shard) {
                    shard.router_.flush(shard.drain_.begin_flush(shard.now_));
                    shard.loop_.request_turn();
                });
        if (!drain_.is_flushed() && !drain_.is_flush_late(now_)) return;
        if (!drain_.is_flushed() && drain_.is_told_unpublished())
            tell_event({.name = "drain_unpublished", .number = shared_->backplane.snapshot().waiting_messages});
    }
    end_drain();
}

template <BasicConnection Conn, HubPolicy Policy>
void Shard<Conn, Policy>::tear_down() {
    if (std::exchange(ended_, true)) return;
    port().end();
    alive_.reset();
    loop_.attach(nullptr);
    sessions_.each([this](SessionType& session) {
        session.end({});
        delivery_.leave_all(session);
    });
    delivery_.fan_out();
    std::vector<std::uint32_t> indices;
    sessions_.each([&](SessionType& session) { indices.push_back(session.id().index); });
    for (std::uint32_t const index : indices) sessions_.destroy(index);
    reception_.clear();
    driver_.reset();  // while the loop that it watches is whole
    end_drain();
}

template <BasicConnection Conn, HubPolicy Policy>
ShardSnapshot Shard<Conn, Policy>::snapshot(CollectOptions const& options) {
    ShardSnapshot result;
    result.delivery = delivery_.counts();
    sessions_.each([&](SessionType& session) { result.pending += static_cast<Subscriber&>(session).queue.messages(); });
    result.opened = opened_;
    result.closed = closed_;
    result.received = received_;
    result.received_bytes = received_bytes_;
    result.writes = writes_;
    result.written_bytes = written_bytes_;
    result.published = router_.published();
    result.letters = router_.post_office().written();
    result.subscriptions = delivery_.subscriptions();
    result.callbacks_threw = callbacks_threw_;
    for (std::size_t i = 0; i < refusals; ++i) result.refused[i] = reception_.refused(i);
    for (std::size_t i = 0; i < authentication_failures; ++i) result.unauthenticated[i] = reception_.unauthenticated(i);
    result.measures = meter_.snapshot();
    result.is_draining = reception_.is_closed();
    result.sessions = sessions_.size();
    result.handshakes = reception_.size();
    result.topics = delivery_.topics().size();
    result.pooled_bytes = delivery_.pool().ledger().used();
    result.memory_of_queues = delivery_.pool().footprint();
    result.memory_of_inbound = kept_ + kept_by_handshakes_;
    result.memory_of_history = router_.memory().bytes();
    result.memory_of_presence = router_.presences().bytes();
    result.shed = shed_;
    result.throttled = throttled_;
    if constexpr (compresses<Policy>) result.compression = compression_.counts();
    result.loop_lag = lag_;
    result.round_trip = std::chrono::milliseconds(round_trip_);
    result.continuity_lost = continuity_lost_;
    if (options.sessions) result.worst = list_sessions(options);
    if (options.busiest || !options.topics.empty())
        result.listed = list_topics(delivery_.topics(), options,
                                    [this](Topic const& topic) { return shared_->owner_of(topic.name) == index_; });
    return result;
}

/// Cost: a look at each session; a copy of those that are listed.
template <BasicConnection Conn, HubPolicy Policy>
std::vector<SessionSnapshot> Shard<Conn, Policy>::list_sessions(CollectOptions const& options) {
    TopList<SessionSnapshot, SessionSnapshot::Worse> worst(options.sessions);
    sessions_.each([&](SessionType& session) {
        if (options.wants(session.identity(), [&] { return session.peer(); })) worst.show(session.brief());
    });
    auto list = std::move(worst).take();
    for (SessionSnapshot& each : list) {
        SessionType const& session = *find(each.id);
        each.user = session.identity().user;
        each.labels = session.identity().labels;
        each.peer = session.peer();
    }
    return list;
}

// ---- a turn

template <BasicConnection Conn, HubPolicy Policy>
void Shard<Conn, Policy>::on_turn_end() noexcept {
    parts_left_ = parts_a_turn;
    open_ready();
    router_.take_mail();  // once a turn, else it would starve the sockets
    do {
        router_.post_office().post_mail();
        for (auto& function : std::exchange(behind_mail_, {})) function();
        if (delivery_.has_runs()) meter_.fan_out([this] { delivery_.fan_out(); });
        flush_all();
        close_phase();
        open_ready();
    } while (delivery_.has_work() || router_.post_office().has_unposted() || !told_.empty() || !behind_mail_.empty());
    if (!held_back_.empty()) release_held_back();
    delivery_.end_turn();
    for (SessionType* const session : burying_) {
        note_kept(0, session->kept_inbound());
        if (session->talker_) throttle_.talkers().remove(session->talker_, moves_talker());
        wheel_.remove(session->id().index, links());
        sessions_.destroy(session->id().index);
    }
    burying_.clear();
    settle_memory();
    if (drain_.is_under_way() && sessions_.size() == 0 && reception_.is_idle()) go_on_draining();
    bool const has_more = !large_.empty() || !delivery_.admission().flush_list().empty() || router_.has_questions();
    if (port().fall_asleep() || has_more) loop_.request_next_turn();
    meter_.end_turn();
    HUBBUB_PROBE(2, turn_end, index_.value, sessions_.size());
}

/// Tells the budget what this shard uses, and frees what is too much.
template <BasicConnection Conn, HubPolicy Policy>
void Shard<Conn, Policy>::settle_memory() {
    unsettled_ = 0;
    auto const used = [this] {
        std::size_t bytes =
            delivery_.pool().footprint() + kept_ + kept_by_handshakes_ + router_.memory().bytes() + router_.presences().bytes();
        if constexpr (compresses<Policy>) bytes += compression_.counts().bytes;
        if constexpr (requires { driver_->footprint(); }) bytes += driver_->footprint();  // TLS
        return bytes;
    };
    memory_.settle(used());
    if (!memory_.excess()) return;
    delivery_.pool().trim_all();
    if constexpr (compresses<Policy>) compression_.trim_all();
    memory_.settle(used());
    // What topics remember goes first: who comes back for it is told, and nobody loses his connection.
    while (std::size_t const excess = memory_.excess()) {
        std::size_t const freed = router_.shed_history(excess);
        if (!freed) break;
        tell_event({.name = "history_shed", .detail = "memory", .number = freed});
        memory_.settle(used());
    }
    if (std::size_t const excess = memory_.excess()) {
        shed(excess);
        delivery_.pool().trim_all();
        memory_.settle(used());
    }
}

/// Ends those that keep most. Cost: a look at each session and at all that is queued.
template <BasicConnection Conn, HubPolicy Policy>
void Shard<Conn, Policy>::shed(std::size_t excess) {
    std::vector<std::pair<std::size_t, SessionType*>> heaviest;
    sessions_.each([&](SessionType& session) {
        if (std::size_t const weight = session.state == Subscriber::State::closed ? 0 : session.weight())
            heaviest.push_back({weight, &session});
    });
    std::sort(heaviest.begin(), heaviest.end(), std::greater<>());
    std::size_t freed = 0;
    for (auto const& [weight, session] : heaviest) {
        if (freed >= excess) break;
        freed += weight;
        ++shed_;
        tell_event({"session_shed", session->id(), "memory", weight});
        session->shed();
    }
}

template <BasicConnection Conn, HubPolicy Policy>
void Shard<Conn, Policy>::flush_all() {
    auto& overflowed = delivery_.admission().overflowed();
    for (std::size_t i = 0; i < overflowed.size(); ++i) {
        auto& session = static_cast<SessionType&>(*overflowed[i]);
        tell_event({"slow_consumer", session.id(), "disconnected for slowness"});
        session.begin_close(CloseCode::try_again_later, "too slow", CloseInfo::By::us, SessionType::Pending::drop);
    }
    overflowed.clear();
    flushing_.swap(delivery_.admission().flush_list());
    for (std::size_t i = 0; i < flushing_.size(); ++i) {
        if (i + 4 < flushing_.size()) {
            auto const* ahead = reinterpret_cast<char const*>(flushing_[i + 4]);
            __builtin_prefetch(ahead);
            __builtin_prefetch(ahead + 64);
        }
        static_cast<SessionType*>(flushing_[i])->flush();
    }
    flushing_.clear();
    // A session that has gone meanwhile is not found.
    for (; !large_.empty() && parts_left_; --parts_left_) {
        SessionType* const session = find(large_.front());
        large_.pop_front();
        if (session) session->flush_part(part_size);
    }
    driver_->commit();
    for (SessionType* const session : holding_)  // what is held now the connection has copied
        if (!session->queue.empty()) session->queue.compact(delivery_.pool(), true);
    holding_.clear();
}

/// Where hooks run that are not called as events and mail come.
template <BasicConnection Conn, HubPolicy Policy>
void Shard<Conn, Policy>::close_phase() {
    tell();
    for (std::size_t i = 0; i < closing_.size(); ++i) router_.leave_all(*closing_[i]);
    closing_.clear();
    for (std::size_t i = 0; i < dead_.size(); ++i) {
        SessionType& session = *dead_[i];
        router_.leave_all(session);
        ++closed_;
        shared_->loads.leave(index_);
        tell_closed(session);
        if (!has_ended())
            (void)measured(session, CallbackKind::on_close, [&] { handler_.on_close(session, *session.extras_->ended); });
        burying_.push_back(&session);
    }
    dead_.clear();
}

template <BasicConnection Conn, HubPolicy Policy>
void Shard<Conn, Policy>::tell_closed(SessionType& session) {
    if (auto const missed = session.take_missed()) {  // it never kept up again
        tell_event({"messages_dropped", session.id(), "slow_consumer", missed});
    }
    CloseInfo const& info = *session.extras_->ended;
    meter_.sums().closes.note(info.code, info.by);
    HUBBUB_PROBE(4, session_close, index_.value, session.id().index, session.id().generation, static_cast<unsigned>(info.code));
    tell_event({"session_closed", session.id(), CloseInfo::by_names[static_cast<std::size_t>(info.by)],
                static_cast<std::uint64_t>(info.code)});
}

/// In the first turn, because a sink is called on the loop only.
template <BasicConnection Conn, HubPolicy Policy>
void Shard<Conn, Policy>::tell_engine() {
    if constexpr (requires { driver_->engine_name(); } && !requires { Policy::EventSink::is_deaf; })
        loop_.post([this, alive = std::weak_ptr<bool>(alive_)] {
            if (alive.expired()) return;
            tell_event({.name = "engine_chosen", .detail = driver_->engine_name()});
            if constexpr (requires { driver_->engine_remark(); })
                if (!driver_->engine_remark().empty())
                    tell_event({.name = "engine_remark", .detail = driver_->engine_remark()});
        });
}

/// Tells sessions of subscriptions, of pressure, and of identities that expire.
template <BasicConnection Conn, HubPolicy Policy>
void Shard<Conn, Policy>::tell() {
    telling_.swap(told_);
    for (auto const& [what, id, number, refused] : telling_) {
        SessionType* const session = find(id);
        if (!session || !session->is_open()) continue;
        if (what == Told::What::expiring) {
            call(*session, CallbackKind::on_expiring, [&](auto& handler) { handler.on_expiring(*session); });
            continue;
        }
        if (what == Told::What::refused) {
            Subscription const subscription{refused, false, {}};
            call(*session, CallbackKind::on_subscribed, [&](auto& handler) { handler.on_subscribed(*session, subscription); });
            continue;
        }
        Topic const& topic = delivery_.topics()[number];
        if (!static_cast<Subscriber&>(*session).find(number)) continue;     // it has left meanwhile
        Subscription const subscription{topic.name, true, topic.position};  // it may leave now: topics are forgotten on a tick
        call(*session, CallbackKind::on_subscribed, [&](auto& handler) { handler.on_subscribed(*session, subscription); });
    }
    telling_.clear();
    auto& pressures = delivery_.admission().pressures();
    for (std::size_t i = 0; i < pressures.size(); ++i) {
        auto* const session = static_cast<SessionType*>(pressures[i].subscriber);
        bool const high = pressures[i].high;
        if (session->is_open())
            call(*session, CallbackKind::on_pressure, [&](auto& handler) { handler.on_pressure(*session, high); });
    }
    pressures.clear();
}

template <BasicConnection Conn, HubPolicy Policy>
void Shard<Conn, Policy>::release_held_back() {
    if (router_.post_office().is_any_congested()) return;
    for (SessionId const id : std::exchange(held_back_, {}))
        if (SessionType* const session = find(id)) session->resume(SessionType::paused_by_congestion);
}

// ---- time

template <BasicConnection Conn, HubPolicy Policy>
void Shard<Conn, Policy>::on_wake() noexcept {
    set_time();
    armed_ = TimePoint::max();
    if (now_ >= next_tick_) {
        lag_ = std::chrono::duration_cast<std::chrono::microseconds>(now_ - next_tick_);
        meter_.sums().loop_lags.observe(lag_);
        run_ticks();
        next_tick_ = now_ + tick_length;
    }
    timers_.run(now_);
    arm_timer();
}

/// Once a second. Cost: a look at each session.
template <BasicConnection Conn, HubPolicy Policy>
void Shard<Conn, Policy>::sample() {
    meter_.callbacks().tick();
    ShardMeasures& sums = meter_.sums();
    std::uint64_t empty = 0;
    sessions_.each([&](SessionType& session) {
        if (session.queued_bytes() == 0) return void(++empty);
        sums.queue_bytes.observe(session.queued_bytes());
        if (auto const stalled = session.stalled_ticks()) sums.queue_ages.observe(duration(*stalled));
    });
    sums.queue_bytes.observe(0, empty);
}

template <BasicConnection Conn, HubPolicy Policy>
void Shard<Conn, Policy>::run_ticks() {
    // A loop that was stopped for long looks at each slot of the wheel once, not at each tick.
    bool const is_slow_tick = ran_tick_ / 10 != tick_ / 10;
    if (tick_ - ran_tick_ > TimingWheel::slots) ran_tick_ = tick_ - TimingWheel::slots;
    while (ran_tick_ != tick_) {
        ++ran_tick_;
        wheel_.run(ran_tick_, links(), [this](std::uint32_t index) {
            SessionType& session = sessions_[index];
            if (session.state != Subscriber::State::closed) wheel_.schedule(index, session.check_time(tick_), tick_, links());
        });
    }
    if constexpr (ByteConnection<Conn>) {
        reception_.check_time(now_);
        kept_by_handshakes_ = reception_.kept();
    }
    if (!held_back_.empty()) release_held_back();
    if (drain_.is_under_way()) {
        auto const reset = [](SessionType& session, CloseInfo info) {
            bool const was_open = session.state != Subscriber::State::closed;
            session.end(std::move(info), true);
            return was_open;
        };
        if (drain_.tick(sessions_, now_, tick_length, reset)) reception_.clear();
    }
    router_.tell_presence();
    if (is_slow_tick) {
        sample();
        router_.forget_lonely();
        delivery_.pool().trim();
        throttle_.talkers().sweep(now_, moves_talker());
        tick_event_sink(events_, now_);
        if constexpr (compresses<Policy>) compression_.trim();
    }
}

}  // namespace hubbub::inline v0
