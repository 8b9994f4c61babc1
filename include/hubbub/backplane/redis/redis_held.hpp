#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/backplane/redis/redis_link.hpp>
#include <hubbub/backplane/redis/redis_reader.hpp>

namespace hubbub::inline v0::detail {

/// Commands of a cluster to slots that are on their way from one master to another. A command there meets ASK or TRYAGAIN until the
/// slot has arrived: a topic has several keys, some of which need not exist, so that neither of both masters can run its script
/// meanwhile. So the slot's commands wait, in their order, and the first is tried again now and then.
///
/// Cost: in a cluster each command is copied, for this.
class RedisHeld {
   public:
    struct Command {
        std::vector<std::string> words;
        RedisLink::Answer answer;
        bool is_retried = false;
    };
    using Pointer = std::unique_ptr<Command>;

    bool is_waiting(std::uint16_t slot) const { return waiting_.contains(slot); }
    bool is_empty() const noexcept { return waiting_.empty(); }
    static bool is_moving(redisReply const* reply) {
        return reply && reply->type == REDIS_REPLY_ERROR &&
               (redis_text(*reply).starts_with("ASK ") || redis_text(*reply).starts_with("TRYAGAIN "));
    }

    void hold(std::uint16_t slot, Pointer command) {
        Slot& it = waiting_[slot];
        if (!command->is_retried) return it.commands.push_back(std::move(command));
        it.is_tried = false;
        it.commands.push_front(std::move(command));
    }
    /// Calls `send(slot, Pointer)` with the first of each slot that none is being tried of.
    template <class Send>
    void retry(Send&& send) {
        std::vector<std::pair<std::uint16_t, Pointer>> firsts;
        for (auto& [slot, it] : waiting_)
            if (Pointer first = take(it)) firsts.emplace_back(slot, std::move(first));
        for (auto& [slot, first] : firsts) send(slot, std::move(first));
    }
    /// One that was tried was taken: the next may go, if there is one.
    Pointer next(std::uint16_t slot) {
        auto const found = waiting_.find(slot);
        if (found == waiting_.end()) return nullptr;
        found->second.is_tried = false;
        Pointer first = take(found->second);
        if (!first) waiting_.erase(found);
        return first;
    }
    /// Answers all with null.
    void fail() {
        for (auto& [slot, it] : std::exchange(waiting_, {}))
            for (Pointer const& command : it.commands) command->answer(nullptr);
    }

   private:
    struct Slot {
        std::deque<Pointer> commands;
        bool is_tried = false;
    };
    static Pointer take(Slot& it) {
        if (it.is_tried || it.commands.empty()) return nullptr;
        Pointer first = std::move(it.commands.front());
        it.commands.pop_front();
        first->is_retried = it.is_tried = true;
        return first;
    }

    std::map<std::uint16_t, Slot> waiting_;
};

}  // namespace hubbub::inline v0::detail
