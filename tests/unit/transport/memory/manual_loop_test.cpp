#include <hubbub/transport/memory/manual_loop.hpp>

#include <chrono>
#include <vector>

#include "tests/support/catch.hpp"

using hubbub::ManualLoop;
using hubbub::TimePoint;
using namespace std::chrono_literals;

namespace {

/// Wakes again and again, and says when.
struct Ticking final : hubbub::TurnHook {
    Ticking(ManualLoop& of, hubbub::Duration step) : loop(of), every(step) {
        loop.attach(this);
        loop.wake_at(loop.now() + every);
    }
    ~Ticking() { loop.attach(nullptr); }
    void on_turn_begin() noexcept override {}
    void on_turn_end() noexcept override {}
    void on_wake() noexcept override {
        woken.push_back(loop.now());
        loop.wake_at(loop.now() + every);
    }
    ManualLoop& loop;
    hubbub::Duration every;
    std::vector<TimePoint> woken;
};

}  // namespace

TEST_CASE("Virtual time stands still until it is moved, and then stops at every timer on the way") {
    ManualLoop loop;
    TimePoint const start = loop.now();
    Ticking ticking(loop, 300ms);
    loop.run_until_idle();
    CHECK(loop.now() == start);
    loop.run_for(1s);
    CHECK(ticking.woken == std::vector<TimePoint>{start + 300ms, start + 600ms, start + 900ms});
    CHECK(loop.now() == start + 1s);
    CHECK(loop.next_wake() == start + 1200ms);
}

TEST_CASE("Nothing runs unless it is told to") {
    ManualLoop loop;
    int ran = 0;
    loop.post([&] { ++ran; });
    CHECK(ran == 0);
    CHECK(loop.has_work());
    CHECK(loop.run_turn());
    CHECK(ran == 1);
    CHECK_FALSE(loop.run_turn());
    CHECK_FALSE(loop.run_timer());
    CHECK_FALSE(loop.poll_watched(0));
}

TEST_CASE("Loops of one world share its time, and only the one that runs is here") {
    ManualLoop::World world;
    world.solo = false;
    ManualLoop first(world), second(world);
    CHECK_FALSE(first.runs_here());
    bool first_here = false, second_here = true, nested = false;
    first.run_events([&] {
        first_here = first.runs_here();
        second_here = second.runs_here();
        second.run_events([&] { nested = second.runs_here() && !first.runs_here(); });
        first_here = first_here && first.runs_here();
    });
    CHECK(first_here);
    CHECK_FALSE(second_here);
    CHECK(nested);
    CHECK_FALSE(first.runs_here());
    world.now += 1s;
    CHECK(first.now() == second.now());
}

TEST_CASE("In a world of its own whoever calls is on the loop") {
    ManualLoop loop;
    CHECK(loop.runs_here());
}

TEST_CASE("What was posted and never ran goes with the loop") {
    auto const token = std::make_shared<int>(0);
    {
        ManualLoop loop;
        loop.post([token] {});
        CHECK(token.use_count() == 2);
    }
    CHECK(token.use_count() == 1);
}
