// The code of docs/events.md; see snippets_test.cpp.
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <hubbub/core/session_name.hpp>
#include <hubbub/events/json_lines.hpp>
#include <hubbub/events/quoted_text.hpp>
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

// [otlp]
/// Models EventSink: lines of OTLP's JSON, as an OpenTelemetry collector reads them from a file.
class OtlpLines {
   public:
    struct Options {
        std::shared_ptr<hubbub::LineWriter> writer;
        std::string service = "chat";
    };
    explicit OtlpLines(Options options, hubbub::EventSource source = {}) : options_(std::move(options)), source_(source) {}

    void on_event(hubbub::Event const& event) noexcept {
        static constexpr int severities[] = {5, 9, 13, 17};  // DEBUG, INFO, WARN, ERROR
        auto const level = static_cast<std::size_t>(event.level());
        auto const time = std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count();
        line_ = R"({"resourceLogs":[{"resource":{"attributes":[)";
        add("service.name", options_.service);
        line_ += R"(]},"scopeLogs":[{"scope":{"name":"hubbub"},"logRecords":[{"timeUnixNano":")" + std::to_string(time);
        line_ += R"(","severityNumber":)" + std::to_string(severities[level]) + R"(,"body":{"stringValue":)";
        hubbub::append_quoted(line_, event.name, 128);
        line_ += R"(},"attributes":[)";
        add("shard", std::to_string(source_.shard.value));
        if (event.session) add("session", hubbub::session_name(source_.node, event.session));
        if (!event.detail.empty()) add("detail", event.detail);
        if (event.number) add("number", std::to_string(event.number));
        line_ += "]}]}]}]}\n";
        (void)options_.writer->write(line_);  // false: there was no room, and it is lost
    }

   private:
    void add(std::string_view key, std::string_view value) {
        if (line_.back() != '[') line_ += ',';
        line_.append(R"({"key":")").append(key).append(R"(","value":{"stringValue":)");
        hubbub::append_quoted(line_, value, 1024);
        line_ += "}}";
    }

    Options options_;
    hubbub::EventSource source_;
    std::string line_;
};

struct OtlpPolicy : hubbub::DefaultPolicy {
    using EventSink = hubbub::RateLimitedEvents<OtlpLines>;
};
// [/otlp]

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

TEST_CASE("docs: events are OTLP for a collector") {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    hubbub::HubOptions<events_snippets::OtlpPolicy> options;
    options.events.sink.writer = std::make_shared<hubbub::LineWriter>(ends[1]);
    {
        hubbub::ManualLoop loop;
        hubbub::Hub<hubbub::MemoryConnection, events_snippets::OtlpPolicy> hub(loop, hubbub::NoopHandler{}, options);
        hub.report("tried", "in \"the\" docs");
        while (loop.run_turn()) continue;
    }
    std::string text(100'000, '\0');
    text.resize(static_cast<std::size_t>(::read(ends[0], text.data(), text.size())));
    auto const time = text.find("timeUnixNano\":\"") + 15;
    text.erase(time, text.find('"', time) - time);
    CHECK(text == R"({"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"chat"}}]},)"
                  R"("scopeLogs":[{"scope":{"name":"hubbub"},"logRecords":[{"timeUnixNano":"","severityNumber":9,)"
                  R"("body":{"stringValue":"tried"},"attributes":[{"key":"shard","value":{"stringValue":"0"}},)"
                  R"({"key":"detail","value":{"stringValue":"in \"the\" docs"}}]}]}]}]})"
                  "\n");
    ::close(ends[0]);
    ::close(ends[1]);
}
