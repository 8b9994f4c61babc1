#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <hubbub/core/clock.hpp>

namespace hubbub::inline v0 {

/// Who a session belongs to, as authentication found out.
struct Identity {
    std::string user{};                     ///< empty: nobody in particular
    std::vector<std::string> labels{};      ///< groups that can be published to and closed together
    std::optional<TimePoint> expires_at{};  ///< on the loop's clock; the session ends with 4401 a grace later

    /// A label that is there twice would be a membership twice.
    void drop_double_labels() {
        for (auto each = labels.begin(); each != labels.end();)
            each = std::find(labels.begin(), each, *each) == each ? each + 1 : labels.erase(each);
    }
};

}  // namespace hubbub::inline v0
