// The timers of all sessions of a shard: each waits in the wheel for its next ping, and a tick may touch only who is due.
#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>

#include <hubbub/hub/timing_wheel.hpp>

namespace {
namespace timing_wheel {

using hubbub::TimingWheel;
using hubbub::WheelLinks;

struct Sessions {
    explicit Sessions(std::size_t count) : links(count) {
        for (std::uint32_t i = 0; i < count; ++i) arm(i, 1 + i * 7 % 500);
    }
    void arm(std::uint32_t index, std::uint32_t ahead) {
        wheel.schedule(index, now + ahead, now, [this](std::uint32_t of) -> WheelLinks& { return links[of]; });
    }
    TimingWheel wheel;
    std::vector<WheelLinks> links;
    std::uint32_t now = 1000;
};

/// A session comes and goes.
void arm_and_remove(benchmark::State& state) {
    Sessions sessions(10'000);
    std::uint32_t index = 0;
    for (auto _ : state) {
        index = (index + 6151) % 10'000;
        sessions.wheel.remove(index, [&](std::uint32_t of) -> WheelLinks& { return sessions.links[of]; });
        sessions.arm(index, 300);
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(arm_and_remove);

/// A write begins or ends, so that another limit is the next.
void arm_again(benchmark::State& state) {
    Sessions sessions(10'000);
    std::uint32_t index = 0;
    for (auto _ : state) {
        index = (index + 6151) % 10'000;
        sessions.arm(index, 1 + index % 400);
        sessions.arm(index, 100);
    }
    state.SetItemsProcessed(state.iterations() * 2);
}
BENCHMARK(arm_again);

/// A tick among 10,000 and 100,000 sessions: one in 400 is due, and waits again.
void tick(benchmark::State& state) {
    Sessions sessions(static_cast<std::size_t>(state.range(0)));
    std::int64_t due = 0;
    for (auto _ : state) {
        sessions.wheel.run(
            ++sessions.now, [&](std::uint32_t of) -> WheelLinks& { return sessions.links[of]; },
            [&](std::uint32_t index) {
                ++due;
                sessions.arm(index, 400);
            });
    }
    state.SetItemsProcessed(due);
}
BENCHMARK(tick)->Arg(10'000)->Arg(100'000);

}  // namespace timing_wheel
}  // namespace
