#include <hubbub/hub/timing_wheel.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <vector>

#include "tests/support/catch.hpp"

using hubbub::TimingWheel;
using hubbub::WheelLinks;

namespace {

/// A wheel and those who wait in it, each with the tick at which it is really due.
struct Wheel {
    explicit Wheel(std::size_t count) : links(count) {}

    auto links_of() {
        return [this](std::uint32_t index) -> WheelLinks& { return links[index]; };
    }
    void schedule(std::uint32_t index, std::uint32_t due) { wheel.schedule(index, due, now, links_of()); }
    void remove(std::uint32_t index) { wheel.remove(index, links_of()); }
    /// Who is looked at in the next tick.
    std::vector<std::uint32_t> tick() {
        std::vector<std::uint32_t> due;
        wheel.run(++now, links_of(), [&](std::uint32_t index) { due.push_back(index); });
        std::sort(due.begin(), due.end());
        return due;
    }
    /// The tick at which `index` is looked at next.
    std::uint32_t next_of(std::uint32_t index) {
        for (int i = 0; i < 2000; ++i) {
            auto const due = tick();
            if (std::find(due.begin(), due.end(), index) != due.end()) return now;
        }
        return 0;
    }

    TimingWheel wheel;
    std::vector<WheelLinks> links;
    std::uint32_t now = 1000;
};
using Due = std::vector<std::uint32_t>;

}  // namespace

TEST_CASE("Who waits is looked at in his tick, and once") {
    for (std::uint32_t const ahead : {1u, 2u, 100u, TimingWheel::slots - 1}) {
        Wheel wheel(1);
        wheel.schedule(0, wheel.now + ahead);
        std::uint32_t const due = wheel.now + ahead;
        CHECK(wheel.next_of(0) == due);
        CHECK(wheel.next_of(0) == 0);
    }
}

TEST_CASE("What is due already is looked at in the next tick, and what is far off once a turn of the wheel") {
    Wheel wheel(3);
    wheel.schedule(0, wheel.now);
    wheel.schedule(1, 3);
    wheel.schedule(2, wheel.now + 10'000);
    CHECK(wheel.tick() == Due{0, 1});
    std::uint32_t const before = wheel.now;
    CHECK(wheel.next_of(2) - before == TimingWheel::slots - 2);
}

TEST_CASE("Who is scheduled again moves, sooner or later") {
    Wheel wheel(3);
    for (std::uint32_t i = 0; i < 3; ++i) wheel.schedule(i, wheel.now + 5);
    wheel.schedule(1, wheel.now + 1);
    wheel.schedule(0, wheel.now + 7);
    wheel.schedule(2, wheel.now + 5);
    CHECK(wheel.tick() == Due{1});
    for (int i = 0; i < 3; ++i) CHECK(wheel.tick().empty());
    CHECK(wheel.tick() == Due{2});
    CHECK(wheel.tick().empty());
    CHECK(wheel.tick() == Due{0});
}

TEST_CASE("Who is removed is not looked at, wherever in the slot he was, and may be removed twice") {
    for (std::uint32_t const gone : {0u, 1u, 2u}) {
        Wheel wheel(3);
        for (std::uint32_t i = 0; i < 3; ++i) wheel.schedule(i, wheel.now + 1);
        wheel.remove(gone);
        wheel.remove(gone);
        Due expected{0, 1, 2};
        std::erase(expected, gone);
        CHECK(wheel.tick() == expected);
    }
}

TEST_CASE("Who is looked at may wait again at once") {
    Wheel wheel(2);
    wheel.schedule(0, wheel.now + 1);
    wheel.schedule(1, wheel.now + 1);
    for (int i = 0; i < 1200; ++i) {
        int seen = 0;
        std::uint32_t const now = ++wheel.now;
        wheel.wheel.run(now, wheel.links_of(), [&](std::uint32_t index) {
            ++seen;
            wheel.wheel.schedule(index, now + 1, now, wheel.links_of());
        });
        REQUIRE(seen == 2);
    }
}

TEST_CASE("A wheel does what a list of due times would, for any program of calls") {
    std::mt19937 random(7);
    Wheel wheel(50);
    std::map<std::uint32_t, std::uint32_t> due;  // by index; all within one turn of the wheel
    for (int step = 0; step < 20'000; ++step) {
        auto const index = static_cast<std::uint32_t>(random() % 50);
        switch (random() % 4) {
            case 0:
            case 1: {
                auto const when = wheel.now + 1 + static_cast<std::uint32_t>(random() % 500);
                wheel.schedule(index, when);
                due[index] = when;
                break;
            }
            case 2:
                wheel.remove(index);
                due.erase(index);
                break;
            default: {
                Due expected;
                for (auto const& [who, when] : due)
                    if (when == wheel.now + 1) expected.push_back(who);
                REQUIRE(wheel.tick() == expected);
                for (auto const who : expected) due.erase(who);
            }
        }
    }
}
