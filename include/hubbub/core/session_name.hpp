#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

#include <hubbub/core/ids.hpp>

namespace hubbub::inline v0 {

/// A session as text, the same in messages of the protocol and in events: `0-1a-3`, the shard, the index and the generation in
/// hexadecimal digits; of one of several nodes its number comes first.
inline std::string session_name(std::uint64_t node, SessionId id) {
    char text[64];
    int const before = node ? std::snprintf(text, sizeof text, "%llx-", static_cast<unsigned long long>(node)) : 0;
    std::snprintf(text + before, sizeof text - static_cast<std::size_t>(before), "%x-%x-%x", unsigned{id.shard.value}, id.index,
                  id.generation);
    return text;
}

}  // namespace hubbub::inline v0
