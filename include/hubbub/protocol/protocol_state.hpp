#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hubbub::inline v0 {

/// What ProtocolHandler knows of a session: `Policy::SessionData` is this or derives from it.
///
/// Threading: its session's. Cost: 40 bytes, and a list of the subscriptions that have not begun.
class ProtocolState {
    template <class>
    friend class ProtocolHandler;
    friend class ProtocolReplies;

    std::optional<std::uint64_t> take_subscription(std::string_view topic) {
        for (auto each = subscribing_.begin(); each != subscribing_.end(); ++each) {
            if (each->first != topic) continue;
            std::uint64_t const id = each->second;
            subscribing_.erase(each);
            return id;
        }
        return std::nullopt;
    }

    std::vector<std::pair<std::string, std::uint64_t>>
        subscribing_;            ///< topics, and the ids of the messages that asked for them
    std::uint32_t pending_ = 0;  ///< questions that are not answered
    std::uint32_t mistakes_ = 0;
    bool is_open_ = false;  ///< it speaks the protocol, and the program has heard of it
};

}  // namespace hubbub::inline v0
