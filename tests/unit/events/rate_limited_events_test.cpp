#include <hubbub/events/rate_limited_events.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/refusal.hpp"

namespace rate_limited_events {

using namespace hubbub;
using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

/// Keeps what it is told.
struct Heard {
    std::shared_ptr<Lines> lines = std::make_shared<Lines>();
    void on_event(Event const& event) noexcept {
        std::string line(event.name);
        if (!event.detail.empty()) line += " " + std::string(event.detail);
        if (event.number) line += " " + std::to_string(event.number);
        lines->push_back(std::move(line));
    }
};
using Limited = RateLimitedEvents<Heard>;

struct Fixture {
    Limited::Options options{.events = 2, .interval = 10s, .names = 3};
    std::optional<Limited> sink{std::in_place, options};
    TimePoint now{};

    Fixture() { sink->on_tick(now); }
    Lines take() { return std::exchange(*options.sink.lines, {}); }
    void tell(std::string_view name, int times = 1) {
        for (int i = 0; i < times; ++i) sink->on_event({.name = name});
    }
    void pass(std::chrono::seconds time) { sink->on_tick(now += time); }
};

}  // namespace rate_limited_events

using namespace rate_limited_events;

TEST_CASE_METHOD(Fixture, "Of each name so many events pass in an interval, and the sum of the others behind it") {
    tell("a", 5);
    tell("b", 2);
    CHECK(take() == Lines{"a", "a", "b", "b"});
    pass(9s);
    tell("a");
    CHECK(take().empty());
    pass(1s);
    CHECK(take() == Lines{"events_suppressed a 4"});
    tell("a", 3);
    CHECK(take() == Lines{"a", "a"});
    pass(10s);
    CHECK(take() == Lines{"events_suppressed a 1"});
    pass(10s);
    CHECK(take().empty());
}

TEST_CASE_METHOD(Fixture, "Names beyond a number share one limit, so that invented ones cost nothing") {
    for (char name = 'a'; name <= 'z'; ++name) tell(std::string(1, name), 2);
    CHECK(take() == Lines{"a", "a", "b", "b", "c", "c", "d", "d"});
    pass(10s);
    CHECK(take() == Lines{"events_suppressed other names 44"});
    tell("z");
    CHECK(take() == Lines{"z"});
}

TEST_CASE_METHOD(Fixture, "What is suppressed when it goes is told then, by it and not by its copies") {
    tell("a", 4);
    take();
    SECTION("a copy has its own") {
        std::optional<Limited> copy(*sink);
        copy->on_event({.name = "a"});
        CHECK(take() == Lines{"a"});
        copy.reset();
        CHECK(take().empty());
    }
    sink.reset();
    CHECK(take() == Lines{"events_suppressed a 2"});
}

TEST_CASE("A limit of no events, no time or no names is refused with its member") {
    CHECK(refusal(Limited::Options{}).empty());
    CHECK(refusal(Limited::Options{.events = 0}) == "RateLimitedEvents::Options::events must be at least 1");
    CHECK(refusal(Limited::Options{.interval = 0s}) == "RateLimitedEvents::Options::interval must be positive");
    CHECK(refusal(Limited::Options{.names = 0}) == "RateLimitedEvents::Options::names must be at least 1");
}
