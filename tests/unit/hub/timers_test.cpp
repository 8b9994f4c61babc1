#include <hubbub/hub/timers.hpp>

#include <chrono>
#include <memory>
#include <string>

#include "tests/support/catch.hpp"

using hubbub::TimePoint;
using hubbub::Timers;
using namespace std::chrono_literals;

TEST_CASE("Timers run in the order of their times, and equal times in the order in which they were added") {
    TimePoint const start{};
    Timers timers;
    std::string ran;
    timers.add(start + 3s, [&] { ran += 'd'; });
    timers.add(start + 1s, [&] { ran += 'a'; });
    timers.add(start + 2s, [&] { ran += 'b'; });
    timers.add(start + 2s, [&] { ran += 'c'; });
    CHECK(timers.next() == start + 1s);
    timers.run(start + 999ms);
    CHECK(ran.empty());
    timers.run(start + 2s);
    CHECK(ran == "abc");
    CHECK(timers.next() == start + 3s);
    timers.run(start + 10s);
    CHECK(ran == "abcd");
    CHECK(timers.next() == TimePoint::max());
}

TEST_CASE("A timer that is added by a timer waits for the next call, though it is due") {
    TimePoint const start{};
    Timers timers;
    int ran = 0;
    timers.add(start, [&] {
        ++ran;
        timers.add(start - 1s, [&] { ran += 10; });
    });
    timers.run(start);
    CHECK(ran == 1);
    CHECK(timers.next() == start - 1s);
    timers.run(start);
    CHECK(ran == 11);
}

TEST_CASE("Many timers that add others while they run lose none") {
    TimePoint const start{};
    Timers timers;
    int ran = 0;
    for (int i = 0; i < 200; ++i)
        timers.add(start + std::chrono::milliseconds(i * 7 % 100), [&, i] {
            ++ran;
            timers.add(start + std::chrono::milliseconds(i), [&] { ++ran; });
        });
    timers.run(start + 1s);
    CHECK(ran == 200);
    timers.run(start + 1s);
    CHECK(ran == 400);
}

TEST_CASE("A function is destroyed when it has run, and those that never run go with the timers") {
    auto const token = std::make_shared<int>(0);
    {
        Timers timers;
        timers.add(TimePoint{}, [token] {});
        timers.add(TimePoint{} + 1s, [token] {});
        timers.run(TimePoint{});
        CHECK(token.use_count() == 2);
    }
    CHECK(token.use_count() == 1);
}
