#pragma once

#include <cstdint>
#include <vector>

#include <hubbub/core/position.hpp>
#include <hubbub/ws/frame.hpp>

namespace hubbub::inline v0 {

/// Which part of a topic's history is wanted: what is behind `after` and before `before`.
struct HistoryQuery {
    std::uint64_t after = 0;   ///< an offset
    std::uint64_t before = 0;  ///< an offset; 0: no limit
    std::uint32_t most = 100;  ///< so many; 0 asks only how far it goes
    bool newest_first = false;
};

/// A part of what a topic remembers.
struct HistoryPage {
    struct Message {
        std::uint64_t offset;
        std::uint64_t key;  ///< hash of its key, 0 for none
        Frame frame;        ///< as it was published
    };

    Position newest;       ///< of the topic; the epoch is 0 if it is not known or has no history
    bool complete = true;  ///< nothing behind `after` is forgotten
    std::vector<Message> messages;
};

}  // namespace hubbub::inline v0
