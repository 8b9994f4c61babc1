#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hubbub/hub/hub_options.hpp>
#include <hubbub/json/router.hpp>

#include "messages.hpp"
#include "rules.hpp"

namespace chat {

/// Says to a client that could not keep up how much it has missed.
struct ChatCodec {
    std::optional<hubbub::Frame> gap_notice(std::uint64_t missed) const {
        return hubbub::json::message("missed", Missed{missed});
    }
};

/// What the hub does for this chat: who is slow misses the oldest messages and is told, instead of being thrown out.
struct ChatPolicy : hubbub::DefaultPolicy {
    using Overflow = hubbub::DropOldest;
    using Codec = ChatCodec;

    /// What belongs to one session. Its own thread alone uses it.
    struct SessionData {
        struct Seat {
            std::string room, name;
            std::uint64_t id = 0;  ///< 0: the subscription has not begun yet
            Allowance::Clock::time_point typed{};
        };
        std::vector<Seat> seats;
        Allowance says{Rules::says_at_once, Rules::says_per_second};
        unsigned mistakes = 0;
        Allowance messages{Rules::messages_at_once, Rules::messages_per_second};

        /// The seat in a room, or null.
        Seat* find(std::string_view room) {
            for (Seat& seat : seats)
                if (seat.room == room) return &seat;
            return nullptr;
        }
        void erase(std::string_view room) {
            std::erase_if(seats, [&](Seat const& seat) { return seat.room == room; });
        }
    };
};

template <class Policy = ChatPolicy>
hubbub::HubOptions<Policy> hub_options() {
    hubbub::HubOptions<Policy> options;
    options.message.message = Rules::bytes;
    options.queue.messages = 1000;
    options.subscriptions = Rules::rooms;
    // Whoever is gone without a word keeps a name for no longer than that.
    options.heartbeat = {.ping_after = std::chrono::seconds(20), .silence_limit = std::chrono::seconds(30)};
    return options;
}

}  // namespace chat
