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
struct Broker : Base {
    using Base::Base;
    std::optional<Position> sequence(std::string_view, Position, MessageView) { return std::nullopt; }
    void interest(std::string_view, bool) {}
};
struct BrokerWithoutInterest : Archetype {
    std::optional<Position> sequence(std::string_view, Position, MessageView) { return std::nullopt; }
};
static_assert(Backplane<Broker<Archetype>>);
static_assert(!Backplane<Broker<NotCopied>> && !Backplane<BrokerWithoutInterest>);

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
    using Backplane = Made<Broker>;
    using EventSink = Made<Sink>;
    struct SessionData {};
};
static_assert(HubPolicy<Archetypes>);

}  // namespace archetypes
