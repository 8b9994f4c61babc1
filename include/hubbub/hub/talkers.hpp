#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <hubbub/core/token_bucket.hpp>

namespace hubbub::inline v0 {

/// What a session has taken out of a bucket that it shares, in advance: the busier it is, the more at once.
class Credit {
   public:
    /// Uses `count`; `take(more)` takes from the bucket what is missing, and says for how long nothing may be taken then.
    template <class Take>
    Duration use(std::uint64_t count, std::uint32_t most_in_advance, Take&& take) {
        if (count <= left_) {
            left_ -= static_cast<std::uint32_t>(count);
            return Duration::zero();
        }
        std::uint64_t const missing = count - left_;
        std::uint64_t const more = std::max<std::uint64_t>(missing, next_);
        next_ = std::min(std::max(1u, most_in_advance), 2 * next_);
        left_ = static_cast<std::uint32_t>(more - missing);
        return take(more);
    }

   private:
    std::uint32_t left_ = 0, next_ = 1;
};

/// What a session has used of its rates of late.
struct Talker {
    TokenBucket messages, bytes, subscriptions;
    Credit user_messages, user_bytes, address_messages, address_bytes;
    std::uint32_t session = 0;        ///< its index
    bool counts_for_address = false;  ///< what it says is counted for where it comes from
    std::uint8_t quiet = 0;           ///< sweeps since it said something: what it has in advance is lost when it goes
};

/// The sessions of a shard that said something of late: who is quiet takes no room for his rates.
///
/// Threading: its shard's. Cost: 64 bytes for each of them, until its buckets are full again; a sweep looks at each.
class Talkers {
   public:
    static constexpr std::uint32_t none = 0;
    static constexpr std::uint32_t most = (1u << 22) - 1;
    static constexpr std::uint8_t sweeps_to_keep = 30;  ///< of who is quiet

    /// The number of a new one; `none` if there are as many as there may be.
    std::uint32_t make(std::uint32_t session) {
        if (talkers_.size() == most) return none;
        talkers_.push_back({});
        talkers_.back().session = session;
        return static_cast<std::uint32_t>(talkers_.size());
    }
    Talker& operator[](std::uint32_t number) noexcept { return talkers_[number - 1]; }
    std::size_t size() const noexcept { return talkers_.size(); }

    /// Forgets one. `move(session, number)` tells the session that has its number from now on.
    template <class Move>
    void remove(std::uint32_t number, Move&& move) {
        Talker& gone = (*this)[number];
        if (number != talkers_.size()) {
            gone = talkers_.back();
            move(gone.session, number);
        }
        talkers_.pop_back();
    }
    /// Forgets those whose buckets are full, and were at the last sweeps: `move(session, none)` tells them.
    template <class Move>
    void sweep(TimePoint now, Move&& move) {
        for (auto number = static_cast<std::uint32_t>(talkers_.size()); number >= 1; --number) {
            Talker& talker = (*this)[number];
            if (!talker.messages.is_full(now) || !talker.bytes.is_full(now) || !talker.subscriptions.is_full(now)) continue;
            if (++talker.quiet < sweeps_to_keep) continue;
            move(talker.session, none);
            remove(number, move);
        }
        if (talkers_.empty()) talkers_ = {};
    }

   private:
    std::vector<Talker> talkers_;
};

}  // namespace hubbub::inline v0
