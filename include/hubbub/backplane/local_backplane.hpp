#pragma once

#include <hubbub/backplane/backplane.hpp>

namespace hubbub::inline v0 {

/// One process alone: the owner shard counts.
struct LocalBackplane {
    std::optional<Position> sequence(std::string_view, Position last, MessageView) noexcept {
        return Position{last.epoch, last.offset + 1};
    }
    void interest(std::string_view, bool) noexcept {}
};
static_assert(Backplane<LocalBackplane>);

}  // namespace hubbub::inline v0
