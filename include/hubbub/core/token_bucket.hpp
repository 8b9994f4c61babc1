#pragma once

#include <algorithm>
#include <cstdint>

#include <hubbub/core/clock.hpp>

namespace hubbub::inline v0 {

/// So many a second on average, and so many at once.
struct Rate {
    std::uint32_t per_second = 0;  ///< 0 for any number
    std::uint32_t burst = 0;       ///< what has been saved up by who was quiet; 0 is a second's worth

    constexpr bool is_limited() const noexcept { return per_second != 0; }
    constexpr std::uint32_t most_at_once() const noexcept { return burst ? burst : per_second; }
    bool operator==(Rate const&) const = default;
};

/// How much somebody has used of a Rate: a token bucket, kept as the one time at which it is full again (the generic cell rate
/// algorithm, ITU-T I.371). A fresh one is full.
///
/// Threading: its owner's. Cost: 8 bytes; a multiplication and a division a use.
class TokenBucket {
   public:
    /// So much is in it.
    bool has(Rate const& rate, std::uint64_t count, TimePoint now) const noexcept {
        return from(now) + time_for(rate, count) - ticks(now) <= time_for(rate, rate.most_at_once());
    }
    /// Takes that out if it is there; else nothing.
    bool try_take(Rate const& rate, std::uint64_t count, TimePoint now) noexcept {
        if (!has(rate, count, now)) return false;
        full_at_ = from(now) + time_for(rate, count);
        return true;
    }
    /// Takes that out, also if there is less, and says for how long nothing more may be taken; zero: something is left.
    Duration take(Rate const& rate, std::uint64_t count, TimePoint now) noexcept {
        full_at_ = std::min(from(now) + time_for(rate, count), ticks(now) + longest_debt);
        return wait(rate, now);
    }
    /// For how long nothing is in it; zero if something is.
    Duration wait(Rate const& rate, TimePoint now) const noexcept {
        std::int64_t const empty_until = full_at_ - time_for(rate, rate.most_at_once());
        return Duration(std::max<std::int64_t>(empty_until - ticks(now) + 1, 0));
    }
    /// Nothing has been used of late: it may be forgotten.
    bool is_full(TimePoint now) const noexcept { return full_at_ <= ticks(now); }

   private:
    static constexpr std::int64_t second = Duration::period::den / Duration::period::num;
    static constexpr std::int64_t longest_debt = 86'400 * second;  // a day

    static std::int64_t ticks(TimePoint time) noexcept { return time.time_since_epoch().count(); }
    std::int64_t from(TimePoint now) const noexcept { return std::max(full_at_, ticks(now)); }
    static std::int64_t time_for(Rate const& rate, std::uint64_t count) noexcept {
        constexpr auto in_second = static_cast<std::uint64_t>(second);
        return static_cast<std::int64_t>(std::min(count, (std::uint64_t{1} << 62) / in_second) * in_second / rate.per_second);
    }

    std::int64_t full_at_ = 0;  // ticks of the loop's clock
};

}  // namespace hubbub::inline v0
