#include <chrono>

#include <hubbub/core/tick_counter.hpp>

#include "tests/support/catch.hpp"

using namespace hubbub;

TEST_CASE("The processor's counter agrees with the clock") {
    TickCounter counter;
    auto const begun = std::chrono::steady_clock::now();
    std::uint64_t const before = TickCounter::now();
    while (std::chrono::steady_clock::now() - begun < std::chrono::milliseconds(20)) {}
    std::uint64_t const ticks = TickCounter::now() - before;
    auto const passed = std::chrono::steady_clock::now() - begun;
    counter.measure();
    CHECK(counter.duration(ticks) <= passed + std::chrono::milliseconds(1));
    CHECK(counter.duration(ticks) >= std::chrono::milliseconds(19));
    auto const back = counter.duration(counter.ticks(std::chrono::milliseconds(10)));
    CHECK(back > std::chrono::microseconds(9'990));
    CHECK(back < std::chrono::microseconds(10'010));
}
