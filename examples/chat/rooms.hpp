#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hubbub/ws/frame.hpp>

#include "messages.hpp"
#include "rules.hpp"
#include "text.hpp"

namespace chat {

/// The topic of a room.
inline std::string topic_of(std::string_view room) { return std::string("room/").append(room); }

/// Who is in which room. The messages go through the hub's topics and never here: this is asked only when somebody comes, goes or
/// changes a name.
///
/// The shards of a hub share no memory, but this list has to be whole wherever it is asked for: it gives out names that are taken
/// once, and a list to each who comes. So it is the one thing that the shards' handlers share, behind one lock that is held for the
/// length of a look-up. A chat comes and goes a few thousand times a second at most; what is hot, the messages, takes no lock.
///
/// A member list is right at once or as soon as what is under way has arrived. Each change has a version, each list says which
/// version it has, and a client applies a change that its list has not. Nothing needs to be published under the lock:
/// - Changes of one member are published by one session, so they arrive in their order; those of different members may be applied
///   in any order.
/// - A list is taken once its reader's subscription has begun, and sent to it by the reader's own shard. What changed before is in
///   it, and what changes afterwards arrives behind it.
///
/// Threading: any thread.
class Rooms {
   public:
    struct List {
        std::uint64_t version = 0;
        std::vector<Member> members;
    };
    struct Entered {
        Member member;
        List list;  ///< with the one that came in; its version is that of the coming
    };
    struct Change {
        std::uint64_t version = 0;
        std::string name, before;
    };

    /// What a session that has ended publishes with, because it cannot itself any more. Set once, before the server runs.
    std::function<void(std::string_view topic, hubbub::Frame const&)> publish = [](std::string_view, hubbub::Frame const&) {};

    /// Under that name, or with a number behind it if it is taken. Nothing: the room is full.
    std::optional<Entered> enter(std::string const& room, std::string_view wanted);
    /// The room is forgotten with its last member.
    Change leave(std::string const& room, std::uint64_t id);
    Change rename(std::string const& room, std::uint64_t id, std::string_view wanted);
    List list(std::string const& room) const {
        std::lock_guard const lock(mutex_);
        auto const found = rooms_.find(room);
        return found == rooms_.end() ? List{version_, {}} : list(found->second);
    }

   private:
    struct Room {
        std::map<std::uint64_t, std::string> members;            ///< in the order in which they came
        std::unordered_map<std::string, std::uint64_t> by_name;  ///< folded
    };

    List list(Room const& room) const {
        List result{version_, {}};
        result.members.reserve(room.members.size());
        for (auto const& [id, name] : room.members) result.members.push_back({id, name});
        return result;
    }
    /// A name that nobody else in the room has.
    static std::string free_name(Room const& room, std::string_view wanted, std::uint64_t whose) {
        auto const is_free = [&](std::string const& name) {
            auto const found = room.by_name.find(text::folded(name));
            return found == room.by_name.end() || found->second == whose;
        };
        std::string result(wanted);
        for (std::size_t number = 2; !is_free(result); ++number) {
            std::string const behind = " " + std::to_string(number);
            result = std::string(text::first(wanted, Rules::name - behind.size())) + behind;
        }
        return result;
    }

    mutable std::mutex mutex_;
    std::unordered_map<std::string, Room> rooms_;
    std::uint64_t version_ = 0;  ///< of all rooms together, so that a room that comes back does not begin anew
};

inline std::optional<Rooms::Entered> Rooms::enter(std::string const& name_of_room, std::string_view wanted) {
    std::lock_guard const lock(mutex_);
    Room& room = rooms_[name_of_room];
    if (room.members.size() >= Rules::members) return std::nullopt;
    std::uint64_t const id = ++version_;
    std::string name = free_name(room, wanted, id);
    room.by_name.emplace(text::folded(name), id);
    room.members.emplace(id, name);
    return Entered{{id, std::move(name)}, list(room)};
}

inline Rooms::Change Rooms::leave(std::string const& name_of_room, std::uint64_t id) {
    std::lock_guard const lock(mutex_);
    auto const found = rooms_.find(name_of_room);
    if (found == rooms_.end()) return {};
    auto member = found->second.members.extract(id);
    if (!member) return {};
    found->second.by_name.erase(text::folded(member.mapped()));
    if (found->second.members.empty()) rooms_.erase(found);
    return {++version_, std::move(member.mapped()), {}};
}

inline Rooms::Change Rooms::rename(std::string const& name_of_room, std::uint64_t id, std::string_view wanted) {
    std::lock_guard const lock(mutex_);
    auto const found = rooms_.find(name_of_room);
    if (found == rooms_.end()) return {};
    Room& room = found->second;
    auto const member = room.members.find(id);
    if (member == room.members.end()) return {};
    std::string name = free_name(room, wanted, id);
    room.by_name.erase(text::folded(member->second));
    room.by_name.emplace(text::folded(name), id);
    std::string before = std::exchange(member->second, name);
    return {++version_, std::move(name), std::move(before)};
}

}  // namespace chat
