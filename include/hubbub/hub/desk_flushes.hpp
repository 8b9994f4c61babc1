#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <hubbub/core/ids.hpp>

namespace hubbub::inline v0 {

/// Shards that want to be told when all that came to the desk before they asked is with the brokers.
///
/// Threading: the desk's. Cost: a comparison for each of them and each broker.
class DeskFlushes {
   public:
    /// `number` is the shard's own for what it asks.
    template <class Brokers>
    void begin(ShardIndex from, std::uint64_t number, Brokers const& brokers) {
        Flush flush{from, number, {}};
        for (auto const& broker : brokers) flush.serials.push_back(broker->outbox.next_serial());
        open_.push_back(std::move(flush));
    }
    /// Calls `answer(shard, number)` for those that need not wait any more.
    template <class Brokers, class Answer>
    void end(Brokers const& brokers, Answer&& answer) {
        std::erase_if(open_, [&](Flush const& flush) {
            for (std::size_t i = 0; i < flush.serials.size(); ++i)
                if (!brokers[i]->outbox.is_settled_before(flush.serials[i])) return false;
            answer(flush.from, flush.number);
            return true;
        });
    }

   private:
    struct Flush {
        ShardIndex from;
        std::uint64_t number;
        std::vector<std::uint64_t> serials;  ///< the next of each broker, then
    };
    std::vector<Flush> open_;
};

}  // namespace hubbub::inline v0
