#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <hubbub/core/position.hpp>
#include <hubbub/policy/topics.hpp>

namespace hubbub::inline v0 {

/// A publication on its way to a broker. What it refers to is borrowed for the call.
struct BackplanePublication {
    std::string_view topic;  ///< may begin with a NUL
    std::string_view body;   ///< bytes that mean nothing to the broker
    std::uint64_t serial;    ///< of this node's publications through one backplane: counts up, and is the same when sent again
    HistoryLimits const* history = nullptr;  ///< what the broker keeps of the topic; null: nothing
    std::uint64_t key = 0;  ///< with HistoryLimits::newest_per_key: it replaces the one that has the key; 0: none
    std::uint64_t id = 0;   ///< another with the same id is not published within HistoryLimits::id_age; 0: none
};

/// What became of a publication.
enum class BackplaneOutcome : std::uint8_t {
    done,      ///< the broker has it
    repeated,  ///< its id, or itself, was published before, there
    unknown,   ///< its answer was lost: it is published again, as it is and before anything newer
    refused,   ///< the broker does not take it: it is too long, or there is no room
};

/// A part of what the broker keeps of a topic.
struct BackplaneHistory {
    struct Entry {
        std::uint64_t offset;           ///< behind that of the one before it
        std::chrono::milliseconds age;  ///< since it was published
        std::string_view body;
    };
    bool failed = false;  ///< the broker did not answer; the rest says nothing
    /// Everything behind it is here or in the next parts, but what was replaced by its key. That is where was asked for, or later, if
    /// something behind that is forgotten, or in another epoch.
    Position begins{};
    std::uint64_t reached = 0;  ///< that is all of it up to this offset
    bool more = false;          ///< there is a next part, behind `reached`
    std::vector<Entry> entries{};
};

/// What a backplane tells the hub, on the backplane's loop, never from inside a call of the backplane.
struct BackplaneHost {
    /// Publications and reads can be handed over, or not any more; `reason` says why not.
    virtual void on_ready(bool ready, std::string_view reason) = 0;
    /// What is published to the topic from here on arrives. Told again each time that may have been interrupted.
    virtual void on_subscribed(std::string_view topic) = 0;
    /// From any node, this one too. `position` is that of a topic with history, else nothing.
    virtual void on_message(std::string_view topic, std::string_view body, Position position) = 0;
    /// Once for each `publish`, in any order. The offset is 0 if it is not known.
    virtual void on_published(std::uint64_t serial, BackplaneOutcome outcome, Position position) = 0;
    /// Once for each `read`.
    virtual void on_history(std::string_view topic, BackplaneHistory const& history) = 0;
    /// For the EventSink: a standard name, and what happened. Never an address with a password in it.
    virtual void on_event(std::string_view name, std::string_view detail) = 0;

   protected:
    ~BackplaneHost() = default;
};

}  // namespace hubbub::inline v0
