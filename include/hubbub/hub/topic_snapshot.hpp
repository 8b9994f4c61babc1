#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <hubbub/policy/overflow_action.hpp>

namespace hubbub::inline v0 {

/// One topic at one moment: of one shard, or of all.
struct TopicSnapshot {
    std::string name;
    std::size_t members = 0;
    std::uint64_t published = 0;  ///< since its order began; known by the shard that owns it
    std::uint64_t dropped[drop_reasons] = {};

    TopicSnapshot& operator+=(TopicSnapshot const& other) noexcept {
        members += other.members;
        published += other.published;
        for (std::size_t i = 0; i < drop_reasons; ++i) dropped[i] += other.dropped[i];
        return *this;
    }
};

}  // namespace hubbub::inline v0
