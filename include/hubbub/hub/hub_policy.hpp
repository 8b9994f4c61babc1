#pragma once

#include <hubbub/backplane/local_backplane.hpp>
#include <hubbub/policy/authentication.hpp>
#include <hubbub/policy/authorization.hpp>
#include <hubbub/policy/codec.hpp>
#include <hubbub/policy/event_sink.hpp>
#include <hubbub/policy/overflow.hpp>
#include <hubbub/policy/sharding.hpp>
#include <hubbub/policy/topics.hpp>

namespace hubbub::inline v0 {

/// What a hub does, axis by axis. Derive, replace an alias, keep the rest:
///
///     struct TickerPolicy : hubbub::DefaultPolicy { using Overflow = hubbub::LatestPerKey; };
struct DefaultPolicy {
    using Auth = AcceptAnyone;
    using Access = AllowEverything;
    using Sharding = RoundRobin;
    using Overflow = Disconnect;
    using Topics = UniformTopics;
    using Codec = SilentCodec;
    using Backplane = LocalBackplane;
    using EventSink = NoEvents;
    struct SessionData {};  ///< what each session carries for the application
};

template <class T>
concept HubPolicy =
    Authentication<typename T::Auth> && Authorization<typename T::Access> && Sharding<typename T::Sharding> &&
    OverflowPolicy<typename T::Overflow> && TopicsPolicy<typename T::Topics> && Codec<typename T::Codec> &&
    Backplane<typename T::Backplane> && EventSink<typename T::EventSink> && std::default_initializable<typename T::SessionData>;

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
