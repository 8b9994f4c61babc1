// For each policy concept an archetype, which has what the Exemplar shows and nothing else, and near misses, which lack one thing.
#include <cstdint>
#include <optional>

#include <hubbub/hub/hub_policy.hpp>

namespace archetypes {

using namespace hubbub;

/// Copied, and no more: what an archetype may be asked beyond its exemplar.
struct Archetype {
    explicit Archetype(int) {}
    Archetype(Archetype const&) = default;
    Archetype& operator=(Archetype const&) = delete;
};
struct NotCopied {
    NotCopied() = default;
    NotCopied(NotCopied const&) = delete;
};

template <class Base>
struct Auth : Base {
    using Base::Base;
    void authenticate(http::Request const&, PeerAddress const&, Verdict<Authenticated>) {}
};
struct AuthWithoutAddress : Archetype {
    void authenticate(http::Request const&, Verdict<Authenticated>) {}
};
static_assert(Authentication<Auth<Archetype>>);
static_assert(!Authentication<Auth<NotCopied>> && !Authentication<AuthWithoutAddress> && !Authentication<int>);

template <class Base>
struct Access : Base {
    using Base::Base;
    void authorize(AuthorizationRequest const&, Verdict<Permission>) {}
};
struct AccessOfTopics : Archetype {
    void authorize(std::string_view, Verdict<Permission>) {}
};
static_assert(Authorization<Access<Archetype>>);
static_assert(!Authorization<Access<NotCopied>> && !Authorization<AccessOfTopics>);

template <class Base>
struct Origin : Base {
    using Base::Base;
    bool passes(http::Request const&) const { return true; }
};
struct OriginNotConst : Archetype {
    bool passes(http::Request const&) { return true; }
};
struct OriginAsNumber : Archetype {
    int passes(http::Request const&) const { return 1; }
};
static_assert(OriginPolicy<Origin<Archetype>>);
static_assert(!OriginPolicy<Origin<NotCopied>> && !OriginPolicy<OriginNotConst> && !OriginPolicy<OriginAsNumber>);

template <class Base>
struct Limits : Base {
    using Base::Base;
    std::uint32_t most_in_all() const noexcept { return 1; }
    std::uint32_t most_of_address(PeerAddress const&) const noexcept { return 1; }
    std::uint32_t most_of_user(Identity const&) const noexcept { return 1; }
};
struct LimitsWithoutUsers : Archetype {
    std::uint32_t most_in_all() const noexcept { return 1; }
    std::uint32_t most_of_address(PeerAddress const&) const noexcept { return 1; }
};
struct LimitsThatThrow : Limits<Archetype> {
    std::uint32_t most_in_all() const { return 1; }
};
static_assert(LimitsPolicy<Limits<Archetype>>);
static_assert(!LimitsPolicy<Limits<NotCopied>> && !LimitsPolicy<LimitsWithoutUsers> && !LimitsPolicy<LimitsThatThrow>);

template <class Base>
struct Chooser : Base {
    using Base::Base;
    ShardIndex operator()(SessionInfo const&, ShardCount) { return {0}; }
};
struct ChooserOfNumbers : Archetype {
    std::uint16_t operator()(SessionInfo const&, ShardCount) { return 0; }
};
struct ChooserWithoutCount : Archetype {
    ShardIndex operator()(SessionInfo const&) { return {0}; }
};
static_assert(ShardingPolicy<Chooser<Archetype>>);
static_assert(!ShardingPolicy<Chooser<NotCopied>> && !ShardingPolicy<ChooserOfNumbers> && !ShardingPolicy<ChooserWithoutCount>);

struct Overflow {
    OverflowAction on_full(QueueState const&, OverflowingMessage const&) const noexcept { return OverflowAction::disconnect; }
};
struct OverflowThatThrows {
    OverflowAction on_full(QueueState const&, OverflowingMessage const&) const { return OverflowAction::disconnect; }
};
struct OverflowNotConst {
    OverflowAction on_full(QueueState const&, OverflowingMessage const&) noexcept { return OverflowAction::disconnect; }
};
static_assert(OverflowPolicy<Overflow>);
static_assert(!OverflowPolicy<OverflowThatThrows> && !OverflowPolicy<OverflowNotConst>);

template <class Base>
struct Heartbeat : Base {
    using Base::Base;
    HeartbeatTimes times_for(Identity const&) const noexcept { return {}; }
};
struct HeartbeatThatThrows : Archetype {
    HeartbeatTimes times_for(Identity const&) const { return {}; }
};
static_assert(HeartbeatPolicy<Heartbeat<Archetype>>);
static_assert(!HeartbeatPolicy<Heartbeat<NotCopied>> && !HeartbeatPolicy<HeartbeatThatThrows>);

template <class Base>
struct Rates : Base {
    using Base::Base;
    SessionRates of_session(Identity const&) const noexcept { return {}; }
    UserRates of_user(Identity const&) const noexcept { return {}; }
    AddressRates of_address(PeerAddress const&) const noexcept { return {}; }
    RateAction on_excess(Identity const&) const noexcept { return RateAction::pause; }
};
struct RatesWithoutAction : Archetype {
    SessionRates of_session(Identity const&) const noexcept { return {}; }
    UserRates of_user(Identity const&) const noexcept { return {}; }
    AddressRates of_address(PeerAddress const&) const noexcept { return {}; }
};
static_assert(RatesPolicy<Rates<Archetype>>);
static_assert(!RatesPolicy<Rates<NotCopied>> && !RatesPolicy<RatesWithoutAction>);

template <class Base>
struct Topics : Base {
    using Base::Base;
    TopicOptions options_for(std::string_view) const { return {}; }
};
struct TopicsNotConst : Archetype {
    TopicOptions options_for(std::string_view) { return {}; }
};
static_assert(TopicsPolicy<Topics<Archetype>>);
static_assert(!TopicsPolicy<Topics<NotCopied>> && !TopicsPolicy<TopicsNotConst>);

template <class Base>
struct Words : Base {
    using Base::Base;
    std::optional<Frame> gap_notice(std::uint64_t) const { return std::nullopt; }
};
struct WordsThatNeverFail : Archetype {
    Frame gap_notice(std::uint64_t) const { return Frame::text(""); }
};
static_assert(Codec<Words<Archetype>>);
static_assert(!Codec<Words<NotCopied>> && !Codec<WordsThatNeverFail>);

template <class Base>
struct OwnOrder : Base {
    using Base::Base;
    static constexpr bool is_local = true;
};
struct NotLocal : Archetype {
    static constexpr bool is_local = false;
};
static_assert(Backplane<OwnOrder<Archetype>> && !TapBackplane<OwnOrder<Archetype>>);
static_assert(!Backplane<OwnOrder<NotCopied>> && !Backplane<NotLocal>);

/// A backplane over a broker, with nothing that it need not have.
struct Broker {
    struct Options {};
    struct Thread {
        ShardLoop& loop();
    };
    static std::unique_ptr<Thread> make_thread(Options const&);
    static std::size_t brokers(Options const&);
    Broker(Options const&, std::size_t broker, std::uint64_t node, Thread&, BackplaneHost&);
    void start();
    void subscribe(std::string_view topic);
    void unsubscribe(std::string_view topic);
    void publish(BackplanePublication const&);
    void read(std::string_view topic, HistoryLimits const&, Position since);
    void flush();
};
struct BrokerWithoutRead : Broker {
    using Broker::Broker;
    void read() = delete;
};
static_assert(RemoteBackplane<Broker> && Backplane<Broker> && !OwnBackplane<Broker> && !RemoteBackplane<BrokerWithoutRead>);

template <class Base>
struct Sink : Base {
    using Base::Base;
    void on_event(Event const&) noexcept {}
};
struct SinkThatThrows : Archetype {
    void on_event(Event const&) {}
};
static_assert(EventSink<Sink<Archetype>>);
static_assert(!EventSink<Sink<NotCopied>> && !EventSink<SinkThatThrows>);

/// Archetypes on every axis. tests/wrong/right.cpp makes a hub of such.
template <template <class> class Axis>
struct Made : Axis<Archetype> {
    Made() : Axis<Archetype>(0) {}
};
struct Archetypes {
    using Auth = Made<archetypes::Auth>;
    using Access = Made<archetypes::Access>;
    using Origin = Made<archetypes::Origin>;
    using Limits = Made<archetypes::Limits>;
    using Rates = Made<archetypes::Rates>;
    using Sharding = Made<Chooser>;
    using Overflow = archetypes::Overflow;
    using Heartbeat = Made<archetypes::Heartbeat>;
    using Topics = Made<archetypes::Topics>;
    using Codec = Made<Words>;
    using Compression = NoCompression;
    using Backplane = Made<OwnOrder>;
    using EventSink = Made<Sink>;
    struct SessionData {};
};
static_assert(HubPolicy<Archetypes>);

}  // namespace archetypes
