#pragma once

#include <poll.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <hubbub/core/shard_loop.hpp>

namespace hubbub::inline v0 {

/// A loop that runs when it is told to, with a clock that moves when it is told to: what tests and simulations use.
///
/// Threading: one thread drives all manual loops of a simulation; `runs_here` is true while this loop runs, and always
/// while none does (`Solo`), so that a test with one loop needs no ceremony.
class ManualLoop final : public ShardLoop {
   public:
    /// Time that several loops share, and which of them runs.
    struct World {
        TimePoint now = TimePoint(std::chrono::hours(1));
        ManualLoop const* running = nullptr;
        bool solo = true;  ///< whoever calls from outside of all loops counts as being on the loop
    };

    ManualLoop() : own_(std::make_unique<World>()), world_(own_.get()) {}
    explicit ManualLoop(World& world) : world_(&world) {}
    ~ManualLoop() override { drop_posted(); }

    TimePoint now() const noexcept override { return world_->now; }
    bool is_real_time() const noexcept override { return false; }
    bool runs_here() const noexcept override { return world_->running == this || (!world_->running && world_->solo); }
    void wake_at(TimePoint when) override { wake_ = when; }
    std::unique_ptr<Watch> watch(int descriptor, UniqueFunction<void()> ready) override {
        watched_.push_back(std::make_shared<Watched>(Watched{descriptor, std::move(ready)}));
        return std::make_unique<Watching>(*this, watched_.back());
    }

    bool has_work() const noexcept { return scheduled_; }
    TimePoint next_wake() const noexcept { return wake_; }

    /// Runs what is scheduled, as one turn. False if nothing was.
    bool run_turn() {
        if (!std::exchange(scheduled_, false)) return false;
        as_running([this] { run_scheduled_turn(); });
        return true;
    }

    /// Runs `events` as a turn of their own, as a driver would.
    template <class Events>
    void run_events(Events&& events) {
        as_running([&] { turn(std::forward<Events>(events)); });
    }

    /// Fires the timer if its time has come.
    bool run_timer() {
        if (wake_ > world_->now) return false;
        wake_ = TimePoint::max();
        as_running([this] { run_wake(); });
        return true;
    }

    /// Turns and timers until nothing is left to do now. Stops after `most` turns: a loop that never rests is a defect.
    void run_until_idle(int most = 100'000) {
        while (most-- > 0 && (run_turn() || run_timer())) {}
        HUBBUB_ASSERT(most > 0);
    }

    /// Moves the clock in steps from timer to timer.
    void run_for(Duration duration) {
        TimePoint const end = world_->now + duration;
        run_until_idle();
        while (wake_ <= end) {
            world_->now = std::max(world_->now, wake_);
            run_until_idle();
        }
        world_->now = end;
        run_until_idle();
    }

    /// Calls back for each watched descriptor that is readable. True if there was one.
    bool poll_watched(int milliseconds) {
        std::vector<pollfd> descriptors;
        for (auto const& each : watched_) descriptors.push_back({each->descriptor, POLLIN, 0});
        if (::poll(descriptors.data(), descriptors.size(), milliseconds) <= 0) return false;
        auto const snapshot = watched_;  // a callback may end any watch, its own too, and begin others
        for (std::size_t i = 0; i < snapshot.size(); ++i)
            if (descriptors[i].revents && std::find(watched_.begin(), watched_.end(), snapshot[i]) != watched_.end())
                as_running([&] { snapshot[i]->ready(); });
        return true;
    }

   private:
    struct Watched {
        int descriptor;
        UniqueFunction<void()> ready;
    };
    struct Watching final : Watch {
        Watching(ManualLoop& owner, std::shared_ptr<Watched> what) : loop(owner), watched(std::move(what)) {}
        ~Watching() override { std::erase(loop.watched_, watched); }
        ManualLoop& loop;
        std::shared_ptr<Watched> watched;
    };

    void schedule() override { scheduled_ = true; }

    template <class F>
    void as_running(F&& f) {
        auto const* before = std::exchange(world_->running, this);
        f();
        world_->running = before;
    }

    std::unique_ptr<World> own_;
    World* world_;
    bool scheduled_ = false;
    TimePoint wake_ = TimePoint::max();
    std::vector<std::shared_ptr<Watched>> watched_;
};

}  // namespace hubbub::inline v0
