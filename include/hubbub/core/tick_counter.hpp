#pragma once

#include <chrono>
#include <cstdint>

namespace hubbub::inline v0 {

/// The processor's own count of time, which is read in a few nanoseconds, where a clock takes twenty: what is measured around every
/// callback has to be cheap. Its rate is found out by comparison with the clock, for as long as this lives.
///
/// Threading: `now` on any thread, the rest on one. A thread that moves to another core reads on: the counters of x86-64 (constant TSC) and
/// of AArch64 (generic timer) run alike on all. Elsewhere it is the clock.
class TickCounter {
   public:
    static std::uint64_t now() noexcept {
#if defined(__x86_64__)
        return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
        std::uint64_t ticks;
        asm volatile("mrs %0, cntvct_el0" : "=r"(ticks));
        return ticks;
#else
        return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
    }

    TickCounter() noexcept { measure(); }

    /// Compares again, the more exactly the longer it has lived. Cost: a few looks at the clock.
    void measure() noexcept {
        auto const [time, ticks] = look();
        if (!begun_at_) {
            begun_ = time;
            begun_at_ = ticks;
            return;
        }
        double const passed = std::chrono::duration<double, std::nano>(time - begun_).count();
        if (ticks > begun_at_ && passed > 0) nanoseconds_a_tick_ = passed / static_cast<double>(ticks - begun_at_);
    }
    std::chrono::nanoseconds duration(std::uint64_t ticks) const noexcept {
        return std::chrono::nanoseconds(static_cast<std::int64_t>(static_cast<double>(ticks) * nanoseconds_a_tick_));
    }
    std::uint64_t ticks(std::chrono::nanoseconds duration) const noexcept {
        return static_cast<std::uint64_t>(static_cast<double>(duration.count()) / nanoseconds_a_tick_);
    }

   private:
    struct Look {
        std::chrono::steady_clock::time_point time;
        std::uint64_t ticks;
    };
    /// Both at the same moment: of three tries the one that was interrupted least.
    static Look look() noexcept {
        Look best{};
        std::uint64_t least = ~std::uint64_t{0};
        for (int tries = 0; tries < 3; ++tries) {
            std::uint64_t const before = now();
            auto const time = std::chrono::steady_clock::now();
            std::uint64_t const took = now() - before;
            if (took >= least) continue;
            least = took;
            best = {time, before + took / 2};
        }
        return best;
    }

    std::chrono::steady_clock::time_point begun_{};
    std::uint64_t begun_at_ = 0;
    double nanoseconds_a_tick_ = 1;
};

}  // namespace hubbub::inline v0
