#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <hubbub/core/clock.hpp>
#include <hubbub/hub/close_info.hpp>
#include <hubbub/hub/drain.hpp>

namespace hubbub::inline v0 {

/// One shard's part of a drain, if there is one.
///
/// Threading: its shard's. Cost: each session once, and once more those that are left at the deadline.
class ShardDrain {
   public:
    bool is_under_way() const noexcept { return !drains_.empty(); }
    /// False: one is under way already, and who asked again is told when it is over.
    bool begin(std::shared_ptr<Drain> drain, TimePoint now) {
        drains_.push_back(std::move(drain));
        if (drains_.size() > 1) return false;
        ends_ = now + drains_.front()->options().deadline;
        next_ = 0;
        reset_ = 0;
        told_empty_ = 0;
        flush_ends_ = TimePoint::max();
        is_flushed_ = false;
        return true;
    }
    bool is_late(TimePoint now) const noexcept { return now >= ends_; }
    /// Closes a tick's part of the sessions. True: its time is over, and what was left was given to `reset(session, CloseInfo)`, which
    /// says whether there was something to reset.
    template <class Sessions, class Reset>
    bool tick(Sessions& sessions, TimePoint now, std::chrono::milliseconds tick, Reset&& reset) {
        if (is_late(now)) {
            sessions.each([&](auto& session) {
                reset_ += reset(session, CloseInfo{CloseCode::abnormal, "the drain was over", CloseInfo::By::us});
            });
            return true;
        }
        Drain const& drain = *drains_.front();
        std::size_t left = drain.batch(tick);
        next_ = sessions.each_from(next_, [&](auto& session) {  // nobody comes any more
            if (!session.is_open()) return true;
            session.close(drain.options().code, drain.options().reason);
            return --left != 0;
        });
        return false;
    }
    /// Sessions that the deadline has reset.
    std::uint64_t reset() const noexcept { return reset_; }

    // ---- with a broker, when nobody is here any more

    /// True: the other shards have been empty before, for one who asked for a drain.
    bool tell_empty() {
        bool is_last = false;
        for (; told_empty_ < drains_.size(); ++told_empty_) is_last = drains_[told_empty_]->shard_is_empty() || is_last;
        return is_last;
    }
    /// All shards are empty; returns the number of the question that the brokers are asked.
    std::uint64_t begin_flush(TimePoint now) noexcept {
        flush_ends_ = std::max(ends_, now + least_flush);
        return ++flush_;
    }
    void note_flushed(std::uint64_t number) noexcept { is_flushed_ = is_flushed_ || number == flush_; }
    bool is_flushed() const noexcept { return is_flushed_; }
    bool is_flush_late(TimePoint now) const noexcept { return now >= flush_ends_; }
    /// True: this shard is the one that tells what the brokers have not got.
    bool is_told_unpublished() { return drains_.front()->is_told_unpublished(); }

    /// Everybody who waits for this shard is told.
    void end() {
        for (auto& each : std::exchange(drains_, {})) each->shard_is_done();
    }

   private:
    static constexpr std::chrono::seconds least_flush{1};  ///< where sessions took all the time that there was

    std::vector<std::shared_ptr<Drain>> drains_;  ///< as the first says; of the others each wants to be told
    TimePoint ends_{}, flush_ends_ = TimePoint::max();
    std::uint32_t next_ = 0;  ///< sessions before this one are closed
    std::uint64_t reset_ = 0;
    std::size_t told_empty_ = 0;  ///< drains
    std::uint64_t flush_ = 0;
    bool is_flushed_ = false;
};

}  // namespace hubbub::inline v0
