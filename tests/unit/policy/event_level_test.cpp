#include <hubbub/policy/event_level.hpp>

#include <algorithm>
#include <iterator>
#include <string_view>

#include <hubbub/policy/event_sink.hpp>

#include "tests/support/catch.hpp"

using namespace hubbub;

TEST_CASE("Each name of an event stands once in the table, and what is not there is for information") {
    for (EventKind const& kind : event_kinds) {
        INFO(kind.name);
        CHECK(std::count_if(std::begin(event_kinds), std::end(event_kinds),
                            [&](EventKind const& other) { return other.name == kind.name; }) == 1);
        CHECK(event_level(kind.name) == kind.level);
    }
    CHECK(event_level("session_opened") == EventLevel::debug);
    CHECK(event_level("backplane_lost") == EventLevel::error);
    CHECK(event_level("of_the_application") == EventLevel::info);
}

TEST_CASE("That events were suppressed matters as much as they do") {
    CHECK(Event{.name = "events_suppressed", .detail = "session_opened"}.level() == EventLevel::debug);
    CHECK(Event{.name = "events_suppressed", .detail = "callback_threw"}.level() == EventLevel::error);
    CHECK(Event{.name = "callback_threw", .detail = "session_opened"}.level() == EventLevel::error);
}

TEST_CASE("The names of the levels are those of the enumerators") {
    CHECK(event_level_names[static_cast<std::size_t>(EventLevel::debug)] == "debug");
    CHECK(event_level_names[static_cast<std::size_t>(EventLevel::info)] == "info");
    CHECK(event_level_names[static_cast<std::size_t>(EventLevel::warning)] == "warning");
    CHECK(event_level_names[static_cast<std::size_t>(EventLevel::error)] == "error");
}
