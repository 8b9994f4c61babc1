#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/core/verdict.hpp>
#include <hubbub/profiling/gperftools.hpp>
#include <hubbub/profiling/memory_file.hpp>
#include <hubbub/profiling/profile_page.hpp>

namespace hubbub::inline v0::detail {

/// Takes CPU profiles of the whole process, one at a time.
///
/// Each has a thread of its own, which sleeps while it is taken. A timer of some loop would do for the waiting, but the host would
/// have to hand one in, since the pages know of no loop; and the end of a profile (reading the memory map, writing all of it) would
/// hold up that loop.
///
/// Threading: `take` on any thread. Lifetime: its end ends a profile that is being taken, and waits for that thread.
class CpuProfiler {
   public:
    explicit CpuProfiler(Gperftools const& tools) : tools_(tools) {}
    ~CpuProfiler() {
        {
            std::lock_guard const lock(mutex_);
            is_ending_ = true;
        }
        end_.notify_all();
        if (thread_.joinable()) thread_.join();
    }
    CpuProfiler(CpuProfiler const&) = delete;
    CpuProfiler& operator=(CpuProfiler const&) = delete;

    bool is_linked() const noexcept { return tools_.start && tools_.stop; }

    /// The verdict is given when `length` is over, on a thread of its own, or at once if there can be no profile.
    void take(std::chrono::milliseconds length, Verdict<http::Response> verdict);

   private:
    http::Response measure(std::chrono::milliseconds length);

    Gperftools tools_;
    std::mutex mutex_;
    std::condition_variable end_;
    std::thread thread_;
    bool is_busy_ = false;
    bool is_ending_ = false;
};

inline void CpuProfiler::take(std::chrono::milliseconds length, Verdict<http::Response> verdict) {
    std::unique_lock lock(mutex_);
    if (is_busy_) {
        lock.unlock();
        return verdict.answer(no_profile(http::Status::conflict, "a CPU profile is being taken: ask again when it is over"));
    }
    // It has nothing left to do but to give its answer.
    if (thread_.joinable()) thread_.join();
    is_busy_ = true;
    attempt<std::system_error>(
        [&] {
            thread_ = std::thread([this, length, verdict = std::move(verdict)]() mutable {
                http::Response page = measure(length);
                {
                    std::lock_guard const done(mutex_);
                    is_busy_ = false;
                }
                verdict.answer(std::move(page));
            });
        },
        [&](std::system_error const&) { is_busy_ = false; });
}

inline http::Response CpuProfiler::measure(std::chrono::milliseconds length) {
    MemoryFile const file;
    if (!file.is_open()) return no_profile(http::Status::service_unavailable, "there is no memory for the profile's file");
    if (tools_.start(file.path().c_str()) == 0)
        return no_profile(http::Status::conflict, "the profiler did not start: the program may be taking a profile of its own");
    {
        std::unique_lock lock(mutex_);
        end_.wait_for(lock, length, [this] { return is_ending_; });
    }
    tools_.stop();
    return profile_page(file.read(), "application/octet-stream");
}

}  // namespace hubbub::inline v0::detail
