#include <hubbub/core/rfc3339.hpp>

#include <chrono>

#include "tests/support/catch.hpp"

using namespace hubbub;
using namespace std::chrono_literals;

TEST_CASE("A time is written in UTC, with milliseconds that are not rounded up") {
    using namespace std::chrono;
    using Time = system_clock::time_point;
    auto const at = [](year_month_day day, auto... more) {
        return rfc3339(Time((sys_days(day).time_since_epoch() + ... + more)));
    };
    CHECK(at(2026y / 11 / 24, 18h, 2min, 25s, 123ms) == "2026-11-24T18:02:25.123Z");
    CHECK(at(1970y / 1 / 1) == "1970-01-01T00:00:00.000Z");
    CHECK(at(1970y / 1 / 1, 999'999us) == "1970-01-01T00:00:00.999Z");
    CHECK(at(1970y / 1 / 1, -1us) == "1969-12-31T23:59:59.999Z");
    CHECK(at(2024y / 2 / 29, 23h, 59min, 59s, 7ms) == "2024-02-29T23:59:59.007Z");
    CHECK(at(1700y / 3 / 1) == "1700-03-01T00:00:00.000Z");
    CHECK(rfc3339(Time::max()).size() == 24);
    CHECK(rfc3339(Time::min()).size() == 24);
}
