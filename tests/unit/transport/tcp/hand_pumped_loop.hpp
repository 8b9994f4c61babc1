#pragma once

#include <poll.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <hubbub/core/shard_loop.hpp>

namespace hubbub_test {

/// The least loop that can watch descriptors: the test calls `pump`.
class HandPumpedLoop final : public hubbub::ShardLoop {
   public:
    hubbub::TimePoint now() const noexcept override { return std::chrono::steady_clock::now(); }
    bool runs_here() const noexcept override { return std::this_thread::get_id() == thread_; }
    void wake_at(hubbub::TimePoint) override {}
    std::unique_ptr<hubbub::Watch> watch(int descriptor, hubbub::UniqueFunction<void()> ready) override {
        auto entry = std::make_shared<Entry>(Entry{descriptor, std::move(ready)});
        entries_.push_back(entry);
        return std::make_unique<Registration>(*this, std::move(entry));
    }

    /// Runs what is ready, after waiting for it this long at most; says how much that was.
    int pump(int milliseconds) {
        int ran = 0;
        if (scheduled_.exchange(false)) {
            ++ran;
            run_scheduled_turn();
            milliseconds = 0;
        }
        std::vector<pollfd> polled;
        auto const entries = entries_;
        for (auto const& entry : entries) polled.push_back({.fd = entry->descriptor, .events = POLLIN, .revents = 0});
        if (::poll(polled.data(), polled.size(), milliseconds) <= 0) return ran;
        for (std::size_t i = 0; i < polled.size(); ++i) {
            if (polled[i].revents == 0 || std::find(entries_.begin(), entries_.end(), entries[i]) == entries_.end()) continue;
            ++ran;
            entries[i]->ready();
        }
        return ran;
    }

   private:
    struct Entry {
        int descriptor;
        hubbub::UniqueFunction<void()> ready;
    };
    struct Registration final : hubbub::Watch {
        Registration(HandPumpedLoop& owner, std::shared_ptr<Entry> watched) : loop(owner), entry(std::move(watched)) {}
        ~Registration() override { std::erase(loop.entries_, entry); }
        HandPumpedLoop& loop;
        std::shared_ptr<Entry> entry;
    };

    void schedule() override { scheduled_ = true; }

    std::thread::id thread_ = std::this_thread::get_id();
    std::atomic<bool> scheduled_{false};
    std::vector<std::shared_ptr<Entry>> entries_;
};

}  // namespace hubbub_test
