#include <hubbub/events/json_lines.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/refusal.hpp"
#include "tests/unit/events/descriptors.hpp"

namespace json_lines {

using namespace hubbub;
using namespace descriptors;

inline std::chrono::system_clock::time_point noon() {
    return std::chrono::sys_days(std::chrono::year(2026) / 11 / 24) + std::chrono::hours(12) + std::chrono::milliseconds(5);
}
inline JsonLineSink::Options to(int descriptor, EventLevel least = EventLevel::debug) {
    return {std::make_shared<LineWriter>(descriptor), least, noon};
}
inline std::string with_time(std::string const& rest) { return R"({"time":"2026-11-24T12:00:00.005Z",)" + rest + "}\n"; }

}  // namespace json_lines

using namespace json_lines;

TEST_CASE("An event is a line of JSON with what it has, and without what it has not") {
    File file;
    JsonLineSink sink(to(file.descriptor()), {.node = 0, .shard = {2}});
    sink.on_event({"messages_dropped", {26, 3, {2}}, "slow_consumer", 5});
    sink.on_event({.name = "drain_ended"});
    sink.on_event({.name = "said \"so\"\n", .detail = "\x1b[2J\xff"});
    CHECK(
        file.text() ==
        with_time(
            R"("level":"warning","event":"messages_dropped","shard":2,"session":"2-1a-3","detail":"slow_consumer","number":5)") +
            with_time(R"("level":"info","event":"drain_ended","shard":2)") +
            with_time(R"("level":"info","event":"said \"so\"\u000a","shard":2,"detail":"\u001b[2J�")"));
}

TEST_CASE("Where there are several nodes each line names its own") {
    File file;
    JsonLineSink sink(to(file.descriptor()), {.node = 0xabc, .shard = {0}});
    sink.on_event({"session_opened", {1, 1, {0}}});
    CHECK(file.text() == with_time(R"("level":"debug","event":"session_opened","node":"abc","shard":0,"session":"abc-0-1-1")"));
}

TEST_CASE("What matters less than is asked for is not written") {
    File file;
    JsonLineSink sink(to(file.descriptor(), EventLevel::warning));
    for (EventKind const& kind : event_kinds) sink.on_event({.name = kind.name});
    sink.on_event({.name = "of_the_application"});
    std::size_t wanted = 0;
    for (EventKind const& kind : event_kinds) wanted += Event{.name = kind.name}.level() >= EventLevel::warning;
    CHECK(lines_of(file.text()).size() == wanted);
    CHECK(file.text().find("slow_consumer") != std::string::npos);
    CHECK(file.text().find("session_opened") == std::string::npos);
}

TEST_CASE("What did not fit into a pipe is counted, and told before the next line that fits") {
    Pipe pipe;
    JsonLineSink sink(to(pipe.writer()));
    for (int i = 0; i < 1000; ++i) sink.on_event({.name = "one"});
    auto const before = lines_of(pipe.read());
    CHECK(before.size() < 1000);
    sink.on_event({.name = "two"});
    CHECK(pipe.read() == with_time(R"("level":"warning","event":"events_dropped","shard":0,"number":)" +
                                   std::to_string(1000 - before.size())) +
                             with_time(R"("level":"info","event":"two","shard":0)"));
    sink.on_event({.name = "three"});
    CHECK(lines_of(pipe.read()).size() == 1);
}

TEST_CASE("A line has a bound, whatever is in the event") {
    Pipe pipe;
    JsonLineSink sink(to(pipe.writer()), {.node = ~std::uint64_t{0}, .shard = {0xFFFF}});
    std::string const long_text(100'000, '\x01');
    sink.on_event({long_text, {~0u, ~0u, {0xFFFF}}, long_text, ~std::uint64_t{0}});
    auto const lines = lines_of(pipe.read());
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].size() < LineWriter::longest);
    CHECK(lines[0].ends_with(R"(…","number":18446744073709551615})"));
}

TEST_CASE("JsonLines passes on so many of a name, and needs a writer") {
    File file;
    JsonLines::Options options{.sink = to(file.descriptor()), .events = 2};
    CHECK(refusal(options).empty());
    {
        JsonLines sink(options, {.node = 0, .shard = {7}});
        for (int i = 0; i < 5; ++i) sink.on_event({.name = "slow_consumer"});
    }
    auto const lines = lines_of(file.text());
    REQUIRE(lines.size() == 3);
    CHECK(lines[1] + "\n" == with_time(R"("level":"warning","event":"slow_consumer","shard":7)"));
    CHECK(lines[2] + "\n" ==
          with_time(R"("level":"warning","event":"events_suppressed","shard":7,"detail":"slow_consumer","number":3)"));
    CHECK(refusal(JsonLines::Options{}) ==
          "JsonLines: sink.writer must be set, as to std::make_shared<LineWriter>(STDERR_FILENO)");
}
