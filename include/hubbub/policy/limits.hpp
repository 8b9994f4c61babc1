#pragma once

#include <concepts>
#include <cstdint>

#include <hubbub/core/identity.hpp>
#include <hubbub/core/peer_address.hpp>

namespace hubbub::inline v0 {

/// How many connections there may be at once; the hub counts them. It exists so that one client cannot take the place of all.
///
/// Exemplar:
///     struct LimitsExemplar {
///         std::uint32_t most_in_all() const noexcept;
///         std::uint32_t most_of_address(hubbub::PeerAddress const&) const noexcept;
///         std::uint32_t most_of_user(hubbub::Identity const&) const noexcept;
///     };
///
/// Required behaviour:
/// - 0 is no limit. IPv6 addresses are counted by their /64, Unix sockets not by address.
/// - Called on the loop that accepted: the first two at accept, where too many are answered with 503 or 429; the third after
///   authentication, for a user who has a name. Each shard has an instance of its own.
///
/// Models: ConnectionLimits.
template <class T>
concept LimitsPolicy =
    std::copy_constructible<T> && requires(T const& policy, PeerAddress const& address, Identity const& who) {
        { policy.most_in_all() } noexcept -> std::same_as<std::uint32_t>;
        { policy.most_of_address(address) } noexcept -> std::same_as<std::uint32_t>;
        { policy.most_of_user(who) } noexcept -> std::same_as<std::uint32_t>;
    };

/// The same for everybody.
struct ConnectionLimits {
    std::uint32_t in_all = 100'000;
    std::uint32_t per_address = 256;
    std::uint32_t per_user = 64;

    std::uint32_t most_in_all() const noexcept { return in_all; }
    std::uint32_t most_of_address(PeerAddress const&) const noexcept { return per_address; }
    std::uint32_t most_of_user(Identity const&) const noexcept { return per_user; }
};
static_assert(LimitsPolicy<ConnectionLimits>);

}  // namespace hubbub::inline v0
