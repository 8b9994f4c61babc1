#include <chrono>
#include <optional>

#include <hubbub/profiling/cpu_profiler.hpp>

#include "tests/support/catch.hpp"
#include "tests/unit/profiling/tools.hpp"

using namespace std::chrono_literals;
using hubbub::detail::CpuProfiler;
using hubbub::http::Status;

TEST_CASE("A CPU profile is what the profiler wrote until the time was over") {
    auto& noted = profiling_tools::begin();
    CpuProfiler profiler(profiling_tools::all());
    profiling_tools::Answer answer;
    auto const began = std::chrono::steady_clock::now();
    profiler.take(20ms, answer.verdict());
    auto const page = answer.page.get();
    CHECK(std::chrono::steady_clock::now() - began >= 20ms);
    CHECK(page.status() == Status::ok);
    CHECK(page.body() == "samples");
    CHECK(page.header("Content-Type") == "application/octet-stream");
    CHECK(noted.starts == 1);
    CHECK(noted.stops == 1);
}

TEST_CASE("Of two CPU profiles at a time the second is refused, and the end of the profiler ends the first") {
    auto& noted = profiling_tools::begin();
    profiling_tools::Answer first, second;
    {
        std::optional<CpuProfiler> profiler(std::in_place, profiling_tools::all());
        profiler->take(1h, first.verdict());
        profiler->take(1h, second.verdict());
        REQUIRE(second.is_here());
        CHECK(second.page.get().status() == Status::conflict);
        CHECK_FALSE(first.is_here());
        profiler.reset();
    }
    REQUIRE(first.is_here());
    CHECK(first.page.get().body() == "samples");
    CHECK(noted.starts == 1);
    CHECK(noted.stops == 1);
}

TEST_CASE("Who has his CPU profile may ask for the next at once") {
    auto& noted = profiling_tools::begin();
    CpuProfiler profiler(profiling_tools::all());
    for (int i = 0; i < 20; ++i) {
        profiling_tools::Answer answer;
        profiler.take(0ms, answer.verdict());
        REQUIRE(answer.page.get().status() == Status::ok);
    }
    CHECK(noted.starts == 20);
    CHECK(noted.stops == 20);
}

TEST_CASE("A profiler that does not start is a conflict, and stopped by nobody") {
    auto& noted = profiling_tools::begin();
    noted.starts_fail = true;
    CpuProfiler profiler(profiling_tools::all());
    profiling_tools::Answer refused, taken;
    profiler.take(1h, refused.verdict());
    CHECK(refused.page.get().status() == Status::conflict);
    CHECK(noted.stops == 0);

    noted.starts_fail = false;
    profiler.take(0ms, taken.verdict());
    CHECK(taken.page.get().status() == Status::ok);
}
