#pragma once

#include <hubbub/backplane/backplane.hpp>

namespace hubbub::inline v0 {

/// One process alone: there is no broker, and the owner shard of a topic gives it its order.
struct LocalBackplane {
    static constexpr bool is_local = true;
};
static_assert(Backplane<LocalBackplane>);

}  // namespace hubbub::inline v0
