#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <hubbub/http/status.hpp>

namespace hubbub::inline v0 {

/// Why connections were turned away; each is counted.
enum class ConnectionRefusal : std::uint8_t { malformed, limit, origin, authentication, too_slow, draining, memory, rate };
inline constexpr std::size_t refusals = 8;
inline constexpr std::string_view refusal_names[refusals] = {"malformed", "limit",    "origin", "authentication",
                                                             "too_slow",  "draining", "memory", "rate"};

/// Why a connection is not let in, whatever it would have asked for.
struct TurnedAway {
    ConnectionRefusal why;
    http::Status status;
    std::string_view reason;
};

}  // namespace hubbub::inline v0
