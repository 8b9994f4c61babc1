#pragma once

#include <concepts>
#include <functional>
#include <string_view>

#include <hubbub/core/identity.hpp>
#include <hubbub/core/ids.hpp>
#include <hubbub/core/peer_address.hpp>
#include <hubbub/http/request.hpp>

namespace hubbub::inline v0 {

/// What is known of a session before it has a shard.
struct SessionInfo {
    http::Request const& request;
    Identity const& identity;
    PeerAddress const& address;
};

/// Chooses the shard of a new session, once and for its whole life.
///
/// Exemplar:
///     struct ShardingExemplar {
///         hubbub::ShardIndex operator()(hubbub::SessionInfo const&, hubbub::ShardCount);
///     };
///
/// Required behaviour:
/// - The answer is below the count.
/// - Called on the loop that accepted the connection; each shard has an instance of its own.
///
/// Models: RoundRobin, ByUser.
template <class T>
concept Sharding = std::copy_constructible<T> && requires(T& policy, SessionInfo const& info, ShardCount count) {
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

/// All sessions of a user on one shard; sessions of nobody by their address.
struct ByUser {
    ShardIndex operator()(SessionInfo const& info, ShardCount count) const noexcept {
        std::size_t const hash = info.identity.user.empty() ? std::hash<PeerAddress>{}(info.address.network())
                                                            : std::hash<std::string_view>{}(info.identity.user);
        return {static_cast<std::uint16_t>(hash % count.value)};
    }
};
static_assert(Sharding<RoundRobin> && Sharding<ByUser>);

}  // namespace hubbub::inline v0
