#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hubbub::inline v0 {

/// Where user code is called on a shard's loop. Its time is everybody's who lives there.
enum class CallbackKind : std::uint8_t {
    on_open,
    on_message,
    on_subscribed,
    on_continuity_lost,
    on_pressure,
    on_expiring,
    on_close,
    posted,  ///< functions that were posted to a session
    timer,   ///< functions of `Session::after`
    authentication,
    route,  ///< pages
};
inline constexpr std::size_t callback_kinds = 11;
inline constexpr std::string_view callback_kind_names[callback_kinds] = {
    "on_open",  "on_message", "on_subscribed", "on_continuity_lost", "on_pressure", "on_expiring",
    "on_close", "posted",     "timer",         "authentication",     "route"};

constexpr std::string_view name_of(CallbackKind kind) noexcept { return callback_kind_names[static_cast<std::size_t>(kind)]; }

}  // namespace hubbub::inline v0
