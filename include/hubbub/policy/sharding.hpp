#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/core/identity.hpp>
#include <hubbub/core/ids.hpp>
#include <hubbub/core/peer_address.hpp>
#include <hubbub/http/request.hpp>
#include <hubbub/policy/shard_loads.hpp>

namespace hubbub::inline v0 {

/// What is known of a session before it has a shard; borrowed until the call returns.
struct SessionInfo {
    http::Request const& request;
    Identity const& identity;
    PeerAddress const& address;
    ShardLoads const& loads;
};

/// Chooses the shard of a new session, once and for its whole life.
///
/// Exemplar:
///     struct ShardingExemplar {
///         hubbub::ShardIndex operator()(hubbub::SessionInfo const&, hubbub::ShardCount);
///     };
///
/// Required behaviour:
/// - The answer is below the count. Where it is not, or where it throws, the session stays on the shard that accepted it, and the
///   event "policy_threw" says "sharding".
/// - Called on the loop that accepted the connection, where there is more than one shard; each has an instance of its own.
///
/// Models: RoundRobin, LeastSessions, ByUser, ByAddress, ByFunction.
template <class T>
concept ShardingPolicy = std::copy_constructible<T> && requires(T& policy, SessionInfo const& info, ShardCount count) {
    { policy(info, count) } -> std::same_as<ShardIndex>;
};

/// One after the other.
struct RoundRobin {
    ShardIndex operator()(SessionInfo const&, ShardCount count) noexcept {
        next_ = static_cast<std::uint16_t>((next_ + 1u) % count.value);
        return {next_};
    }

   private:
    std::uint16_t next_ = 0;
};

/// The shard that has fewest, where sessions live long and unevenly. Cost: looks at each shard.
struct LeastSessions {
    ShardIndex operator()(SessionInfo const& info, ShardCount count) const noexcept {
        ShardIndex best{0};
        for (std::uint16_t i = 1; i < count.value; ++i)
            if (info.loads[{i}] < info.loads[best]) best = {i};
        return best;
    }
};

/// All sessions from a network address on one shard; IPv6 by the /64.
struct ByAddress {
    ShardIndex operator()(SessionInfo const& info, ShardCount count) const noexcept {
        return {static_cast<std::uint16_t>(std::hash<PeerAddress>{}(info.address.network()) % count.value)};
    }
};

/// All sessions of a user on one shard, where they may share what is not for several threads; sessions of nobody by their address.
struct ByUser {
    ShardIndex operator()(SessionInfo const& info, ShardCount count) const noexcept {
        if (info.identity.user.empty()) return ByAddress()(info, count);
        return {static_cast<std::uint16_t>(std::hash<std::string_view>{}(info.identity.user) % count.value)};
    }
};

/// As a function says, which each shard calls on its own thread:
/// `.sharding = {[](hubbub::SessionInfo const& info, hubbub::ShardCount count) { … }}`.
struct ByFunction {
    std::function<ShardIndex(SessionInfo const&, ShardCount)> function;

    ShardIndex operator()(SessionInfo const& info, ShardCount count) const { return function(info, count); }
    /// Throws std::invalid_argument.
    void check() const {
        if (!function)
            detail::throw_exception(
                std::invalid_argument("ByFunction::function must be set: HubOptions::sharding = {a function}"));
    }
};
static_assert(ShardingPolicy<RoundRobin> && ShardingPolicy<LeastSessions> && ShardingPolicy<ByAddress> &&
              ShardingPolicy<ByUser> && ShardingPolicy<ByFunction>);

}  // namespace hubbub::inline v0
