// The code of docs/events.md; see snippets_test.cpp.
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include <hubbub/events/json_lines.hpp>
#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/memory/manual_loop.hpp>
#include <hubbub/transport/memory/memory_connection.hpp>

#include "tests/support/catch.hpp"

using namespace std::chrono_literals;

namespace events_snippets {

// [json_lines]
struct LoggedPolicy : hubbub::DefaultPolicy {
    using EventSink = hubbub::JsonLines;
};

hubbub::HubOptions<LoggedPolicy> log_to(int descriptor) {  // such as STDERR_FILENO
    hubbub::HubOptions<LoggedPolicy> options;
    options.events.sink.writer = std::make_shared<hubbub::LineWriter>(descriptor);
    options.events.sink.least = hubbub::EventLevel::debug;  // if not: info
    return options;
}
// [/json_lines]

void limit(hubbub::HubOptions<LoggedPolicy>& options) {
    // [limits]
    options.events.events = 20;     // of a name; if not: 50
    options.events.interval = 60s;  // if not: 10 s
    // [/limits]
}

}  // namespace events_snippets

TEST_CASE("docs: events are lines of JSON") {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    auto options = events_snippets::log_to(ends[1]);
    events_snippets::limit(options);
    {
        hubbub::ManualLoop loop;
        hubbub::Hub<hubbub::MemoryConnection, events_snippets::LoggedPolicy> hub(loop, hubbub::NoopHandler{}, options);
        for (int i = 0; i < 25; ++i) hub.report("tried", "in the docs");
        while (loop.run_turn()) continue;
    }
    std::string text(100'000, '\0');
    text.resize(static_cast<std::size_t>(::read(ends[0], text.data(), text.size())));
    CHECK(text.find(R"("level":"info","event":"tried","shard":0,"detail":"in the docs"})") != std::string::npos);
    CHECK(text.find(R"("event":"events_suppressed","shard":0,"detail":"tried","number":5})") != std::string::npos);
    ::close(ends[0]);
    ::close(ends[1]);
}
