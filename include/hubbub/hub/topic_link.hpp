#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <hubbub/core/ids.hpp>
#include <hubbub/core/position.hpp>
#include <hubbub/core/unique_function.hpp>
#include <hubbub/hub/mail.hpp>
#include <hubbub/ws/frame.hpp>

namespace hubbub::inline v0 {

/// What the owner of a topic knows of its link to a broker.
struct TopicLink {
    enum class State : std::uint8_t {
        asked,    ///< the broker has not said yet that what is published arrives
        reading,  ///< what may have been missed is being read; what arrives is held meanwhile
        live,
    };
    /// What arrived while something before it is missing.
    struct Held {
        Mail mail;
        std::string payload;
        std::uint64_t asked;  ///< reads before it came
    };
    /// A publication of this node that has not come back yet.
    struct Pending {
        SessionId except;
        std::shared_ptr<PendingReceipt> receipt;
        Position position{};        ///< the broker's, once it is known
        bool is_delivered = false;  ///< to those who are here
    };
    static constexpr std::size_t most_held = 1024, most_held_bytes = std::size_t{1} << 20;

    std::uint32_t number = 0;  ///< among the links that a topic has had
    State state = State::asked;
    bool is_open = false;        ///< whoever waited has been let in: what is missed from now on, members are told
    bool is_synced = false;      ///< of a topic that remembers: the position is one of the broker's
    bool has_missed = false;     ///< more arrived than is held
    bool is_behind = false;      ///< members have not heard of the topic's position: what has it they were given before
    bool is_asked_late = false;  ///< somebody came with more than is here behind the read that is open: its answer may be older
    std::uint64_t asked = 0, answered = 0;        ///< reads
    std::int64_t left_at = 0;                     ///< when the last member left; 0: there is one, or nobody has looked
    std::uint64_t waiting_shards = 0;             ///< a bit for each that has members and waits to hear that they are in
    std::deque<Mail> questions;                   ///< of who recovers
    std::vector<UniqueFunction<void()>> readers;  ///< of what it remembers, who wait until that is known here
    std::vector<Held> held;
    std::size_t held_bytes = 0;
    std::unordered_map<std::uint64_t, Pending> pending;  ///< by token

    void hold(Mail const& mail, MessageView message) {
        if (held.size() == most_held || held_bytes + message.size() > most_held_bytes) {
            has_missed = true;
            return;
        }
        held.push_back({mail, std::string(message.view()), asked});
        held_bytes += message.size();
    }
};

}  // namespace hubbub::inline v0
