#pragma once

#include <chrono>
#include <concepts>
#include <stdexcept>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/core/identity.hpp>

namespace hubbub::inline v0 {

/// When a session that is silent is pinged, and when it ends.
struct HeartbeatTimes {
    std::chrono::milliseconds ping_after;     ///< without a frame from the client
    std::chrono::milliseconds silence_limit;  ///< without a frame the session ends; longer than `ping_after`
};

/// How often clients are pinged. It exists so that peers that are gone without a word are found, and proxies kept awake.
///
/// Exemplar:
///     struct HeartbeatExemplar {
///         hubbub::HeartbeatTimes times_for(hubbub::Identity const&) const noexcept;
///     };
///
/// Required behaviour: called on the session's loop when it opens; the times hold for its whole life, in steps of 100 ms. Each
/// shard has an instance of its own.
///
/// Models: UniformHeartbeat.
template <class T>
concept HeartbeatPolicy = std::copy_constructible<T> && requires(T const& policy, Identity const& who) {
    { policy.times_for(who) } noexcept -> std::same_as<HeartbeatTimes>;
};

/// The same for everybody: a ping before the minute after which most proxies give up.
struct UniformHeartbeat {
    static constexpr bool is_uniform = true;  ///< need not be asked for each session
    std::chrono::milliseconds ping_after{54'000};
    std::chrono::milliseconds silence_limit{60'000};

    HeartbeatTimes times_for(Identity const&) const noexcept { return {ping_after, silence_limit}; }
    /// Throws std::invalid_argument with a sentence that names the member.
    void check() const {
        if (ping_after.count() <= 0)
            detail::throw_exception(std::invalid_argument("UniformHeartbeat::ping_after must be positive"));
        if (ping_after >= silence_limit)
            detail::throw_exception(std::invalid_argument("UniformHeartbeat::ping_after must be less than silence_limit"));
    }
};
static_assert(HeartbeatPolicy<UniformHeartbeat>);

}  // namespace hubbub::inline v0
