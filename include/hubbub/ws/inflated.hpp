#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include <hubbub/ws/close_code.hpp>

namespace hubbub::inline v0::ws {

/// What a message says once it is inflated, or why the connection ends instead.
///
/// Lifetime: borrows from whoever inflated it, until he inflates the next.
struct Inflated {
    std::span<std::byte const> payload;
    CloseCode error = CloseCode::normal;
    std::string_view reason;  ///< empty: nothing is wrong

    bool failed() const noexcept { return !reason.empty(); }
};

}  // namespace hubbub::inline v0::ws
