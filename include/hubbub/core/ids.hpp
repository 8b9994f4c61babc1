#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace hubbub::inline v0 {

/// Number of a shard within its hub, from 0.
struct ShardIndex {
    std::uint16_t value = 0;
    auto operator<=>(ShardIndex const&) const = default;
};

/// How many shards a hub has; at least 1.
struct ShardCount {
    std::uint16_t value = 1;
    auto operator<=>(ShardCount const&) const = default;
};

/// Names a session for as long as the process lives. The generation makes sure that the id of a session that has gone
/// never means its successor; a call with such an id does nothing.
struct SessionId {
    std::uint32_t index = 0;
    std::uint32_t generation = 0;  ///< 0 is no session
    ShardIndex shard;
    auto operator<=>(SessionId const&) const = default;
    explicit operator bool() const noexcept { return generation != 0; }
};

}  // namespace hubbub::inline v0

template <>
struct std::hash<hubbub::SessionId> {
    std::size_t operator()(hubbub::SessionId const& id) const noexcept {
        return std::size_t{id.index} * 0x9E3779B97F4A7C15u ^ (std::size_t{id.generation} << 20 | id.shard.value);
    }
};
