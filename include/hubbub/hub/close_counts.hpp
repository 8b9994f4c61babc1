#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <hubbub/hub/close_info.hpp>

namespace hubbub::inline v0 {

/// How many sessions ended with which code, and by whom.
///
/// The codes of clients are theirs to choose (RFC 6455 7.4.2): beyond `most` different ones they count as `other`, so that nobody fills a
/// table, here or in a monitor.
class CloseCounts {
   public:
    static constexpr std::size_t most = 32;
    static constexpr CloseCode other{0};

    struct Count {
        CloseCode code;
        CloseInfo::By by;
        std::uint64_t sessions;
    };

    void note(CloseCode code, CloseInfo::By by, std::uint64_t sessions = 1) {
        Count* found = find(code, by);
        if (!found && counts_.size() >= most) found = find(code = other, by);
        if (found)
            found->sessions += sessions;
        else
            counts_.push_back({code, by, sessions});
    }
    std::vector<Count> const& counts() const noexcept { return counts_; }

    CloseCounts& operator+=(CloseCounts const& more) {
        for (Count const& each : more.counts_) note(each.code, each.by, each.sessions);
        return *this;
    }

   private:
    Count* find(CloseCode code, CloseInfo::By by) noexcept {
        auto const found =
            std::find_if(counts_.begin(), counts_.end(), [&](Count const& each) { return each.code == code && each.by == by; });
        return found == counts_.end() ? nullptr : &*found;
    }

    std::vector<Count> counts_;
};

}  // namespace hubbub::inline v0
