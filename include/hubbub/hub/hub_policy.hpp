#pragma once

#include <concepts>

#include <hubbub/backplane/local_backplane.hpp>
#include <hubbub/policy/authentication.hpp>
#include <hubbub/policy/authorization.hpp>
#include <hubbub/policy/codec.hpp>
#include <hubbub/policy/compression.hpp>
#include <hubbub/policy/event_sink.hpp>
#include <hubbub/policy/heartbeat.hpp>
#include <hubbub/policy/limits.hpp>
#include <hubbub/policy/options_of.hpp>
#include <hubbub/policy/origin.hpp>
#include <hubbub/policy/overflow.hpp>
#include <hubbub/policy/rates.hpp>
#include <hubbub/policy/sharding.hpp>
#include <hubbub/policy/topics.hpp>

namespace hubbub::inline v0 {

/// What a hub does, axis by axis. Derive, replace an alias, keep the rest:
///
///     struct TickerPolicy : hubbub::DefaultPolicy { using Overflow = hubbub::LatestPerKey; };
///
/// What an axis is configured with is a member of HubOptions<TickerPolicy>.
struct DefaultPolicy {
    using Auth = AcceptAnyone;
    using Access = AllowEverything;
    using Origin = OriginCheck;
    using Limits = ConnectionLimits;
    using Rates = TokenBuckets;
    using Sharding = RoundRobin;
    using Overflow = Disconnect;
    using Heartbeat = UniformHeartbeat;
    using Topics = UniformTopics;
    using Codec = SilentCodec;
    using Compression = NoCompression;
    using Backplane = LocalBackplane;
    using EventSink = NoEvents;
    struct SessionData {};  ///< what each session carries for the application
};

namespace detail {
template <class P>
concept HasAllAxes = requires {
    typename P::Auth;
    typename P::Access;
    typename P::Origin;
    typename P::Limits;
    typename P::Rates;
    typename P::Sharding;
    typename P::Overflow;
    typename P::Heartbeat;
    typename P::Topics;
    typename P::Codec;
    typename P::Compression;
    typename P::Backplane;
    typename P::EventSink;
    typename P::SessionData;
};

/// One sentence for a policy that is wrong, instead of all that the compiler knows about why.
template <class P>
consteval bool check_policy() {
    if constexpr (!HasAllAxes<P>) {
        static_assert(HasAllAxes<P>, "hubbub: a policy lacks an axis: derive it from hubbub::DefaultPolicy");
    } else {
        static_assert(
            Authentication<typename P::Auth>,
            "hubbub: Policy::Auth needs authenticate(http::Request const&, PeerAddress const&, Verdict<Authenticated>)");
        static_assert(Authorization<typename P::Access>,
                      "hubbub: Policy::Access needs authorize(AuthorizationRequest const&, Verdict<Permission>)");
        static_assert(OriginPolicy<typename P::Origin>, "hubbub: Policy::Origin needs bool passes(http::Request const&) const");
        static_assert(LimitsPolicy<typename P::Limits>,
                      "hubbub: Policy::Limits needs most_in_all(), most_of_address(PeerAddress const&) and "
                      "most_of_user(Identity const&), each const noexcept and std::uint32_t");
        static_assert(RatesPolicy<typename P::Rates>,
                      "hubbub: Policy::Rates needs of_session(Identity const&), of_user(Identity const&), "
                      "of_address(PeerAddress const&) and RateAction on_excess(Identity const&), each const noexcept");
        static_assert(ShardingPolicy<typename P::Sharding>,
                      "hubbub: Policy::Sharding needs ShardIndex operator()(SessionInfo const&, ShardCount)");
        static_assert(
            OverflowPolicy<typename P::Overflow>,
            "hubbub: Policy::Overflow needs OverflowAction on_full(QueueState const&, OverflowingMessage const&) const "
            "noexcept");
        static_assert(HeartbeatPolicy<typename P::Heartbeat>,
                      "hubbub: Policy::Heartbeat needs HeartbeatTimes times_for(Identity const&) const noexcept");
        static_assert(TopicsPolicy<typename P::Topics>,
                      "hubbub: Policy::Topics needs TopicOptions options_for(std::string_view) const");
        static_assert(Codec<typename P::Codec>,
                      "hubbub: Policy::Codec needs std::optional<Frame> gap_notice(std::uint64_t) const");
        static_assert(
            Compression<typename P::Compression>,
            "hubbub: Policy::Compression must be NoCompression, PermessageDeflate (hubbub/ws/deflate/permessage_deflate.hpp) "
            "or like that: see policy/compression.hpp");
        static_assert(
            Backplane<typename P::Backplane>,
            "hubbub: Policy::Backplane must be LocalBackplane, or have start, subscribe, unsubscribe, publish, read and flush: "
            "see backplane/backplane.hpp");
        static_assert(EventSink<typename P::EventSink>, "hubbub: Policy::EventSink needs void on_event(Event const&) noexcept");
        static_assert(std::default_initializable<typename P::SessionData>,
                      "hubbub: Policy::SessionData is made without arguments when a session opens");
    }
    return true;
}
}  // namespace detail

/// A policy that is whole. What is wrong with one that isn't is an error, and not the answer no.
template <class T>
concept HubPolicy = detail::check_policy<T>();

static_assert(HubPolicy<DefaultPolicy>);

/// True for a policy that says that it always agrees, so that it need not be asked.
template <class T>
inline constexpr bool always_agrees = [] {
    if constexpr (requires { T::always; })
        return T::always;
    else
        return false;
}();

}  // namespace hubbub::inline v0
