#pragma once

#include <compare>
#include <cstdint>

namespace hubbub::inline v0 {

/// A place in a topic's order. Offsets count from 1 within an epoch; 0 is before the first. Positions of different epochs
/// cannot be compared: the order was begun anew between them.
struct Position {
    std::uint64_t epoch = 0;
    std::uint64_t offset = 0;
    auto operator<=>(Position const&) const = default;
};

}  // namespace hubbub::inline v0
