#pragma once

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
    bool is_under_way() const noexcept { return drain_ != nullptr; }
    /// False: one is under way already, and who asked again is told when it is over.
    bool begin(std::shared_ptr<Drain> drain, TimePoint now) {
        if (drain_) return too_.push_back(std::move(drain)), false;
        drain_ = std::move(drain);
        ends_ = now + drain_->options().deadline;
        next_ = 0;
        reset_ = 0;
        return true;
    }
    /// Closes a tick's part of the sessions. True: its time is over, and what was left was given to `reset(session, CloseInfo)`, which
    /// says whether there was something to reset.
    template <class Sessions, class Reset>
    bool tick(Sessions& sessions, TimePoint now, std::chrono::milliseconds tick, Reset&& reset) {
        if (now >= ends_) {
            sessions.each([&](auto& session) {
                reset_ += reset(session, CloseInfo{CloseCode::abnormal, "the drain was over", CloseInfo::By::us});
            });
            return true;
        }
        std::size_t left = drain_->batch(tick);
        next_ = sessions.each_from(next_, [&](auto& session) {  // nobody comes any more
            if (!session.is_open()) return true;
            session.close(drain_->options().code, drain_->options().reason);
            return --left != 0;
        });
        return false;
    }
    /// Sessions that the deadline has reset.
    std::uint64_t reset() const noexcept { return reset_; }
    /// The shard is empty: everybody who waits for that is told.
    void end() {
        if (drain_) std::exchange(drain_, nullptr)->shard_is_empty();
        for (auto& each : std::exchange(too_, {})) each->shard_is_empty();
    }

   private:
    std::shared_ptr<Drain> drain_;
    std::vector<std::shared_ptr<Drain>> too_;
    TimePoint ends_{};
    std::uint32_t next_ = 0;  ///< sessions before this one are closed
    std::uint64_t reset_ = 0;
};

}  // namespace hubbub::inline v0
