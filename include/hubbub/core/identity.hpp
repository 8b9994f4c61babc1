#pragma once

#include <optional>
#include <string>
#include <vector>

#include <hubbub/core/clock.hpp>

namespace hubbub::inline v0 {

/// Who a session belongs to, as authentication found out.
struct Identity {
    std::string user{};                     ///< empty: nobody in particular
    std::vector<std::string> labels{};      ///< groups that can be published to and closed together
    std::optional<TimePoint> expires_at{};  ///< on the loop's clock; the session then ends with 4401
};

}  // namespace hubbub::inline v0
