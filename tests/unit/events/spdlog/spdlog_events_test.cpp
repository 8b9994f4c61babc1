#include <hubbub/events/spdlog/spdlog_events.hpp>

#include <spdlog/sinks/ostream_sink.h>

#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>

#include "tests/support/catch.hpp"
#include "tests/support/refusal.hpp"

namespace spdlog_events {

using namespace hubbub;

/// A logger that writes to a string.
struct Log {
    std::ostringstream text;
    std::shared_ptr<spdlog::logger> logger =
        std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text));

    Log() {
        logger->set_pattern("%l %v");
        logger->set_level(spdlog::level::debug);
    }
};

/// What is wrong with it is no std::exception, which spdlog would catch itself.
struct Broken final : spdlog::sinks::sink {
    void log(spdlog::details::log_msg const&) override { throw 1; }
    void flush() override {}
    void set_pattern(std::string const&) override {}
    void set_formatter(std::unique_ptr<spdlog::formatter>) override {}
};

}  // namespace spdlog_events

using namespace spdlog_events;

TEST_CASE("A logger of spdlog gets each event at its level, with its detail in quotation marks") {
    Log log;
    SpdlogSink sink({log.logger}, {.node = 0, .shard = {2}});
    sink.on_event({"messages_dropped", {26, 3, {2}}, "slow_consumer", 5});
    sink.on_event({"session_opened", {1, 1, {2}}});
    sink.on_event({.name = "callback_threw", .detail = "on_close"});
    sink.on_event({.name = "said", .detail = "{} a\nb \"c\""});
    CHECK(log.text.str() ==
          "warning messages_dropped shard=2 session=2-1a-3 detail=\"slow_consumer\" number=5\n"
          "debug session_opened shard=2 session=2-1-1\n"
          "error callback_threw shard=2 detail=\"on_close\"\n"
          "info said shard=2 detail=\"{} a\\u000ab \\\"c\\\"\"\n");
}

TEST_CASE("The logger decides which levels it takes") {
    Log log;
    log.logger->set_level(spdlog::level::err);
    SpdlogSink sink({log.logger});
    sink.on_event({.name = "slow_consumer"});
    CHECK(log.text.str().empty());
    sink.on_event({.name = "policy_threw"});
    CHECK(log.text.str() == "error policy_threw shard=0\n");
}

TEST_CASE("A logger that throws does not take the loop down") {
    SpdlogSink sink({std::make_shared<spdlog::logger>("broken", std::make_shared<Broken>())});
    CHECK_NOTHROW(sink.on_event({.name = "policy_threw"}));
}

TEST_CASE("SpdlogEvents passes on so many of a name, and needs a logger") {
    Log log;
    SpdlogEvents::Options const options{.sink = {log.logger}, .events = 1};
    CHECK(refusal(options).empty());
    {
        SpdlogEvents sink(options);
        for (int i = 0; i < 3; ++i) sink.on_event({.name = "slow_consumer"});
    }
    CHECK(log.text.str() ==
          "warning slow_consumer shard=0\nwarning events_suppressed shard=0 detail=\"slow_consumer\" number=2\n");
    CHECK(refusal(SpdlogEvents::Options{}) == "SpdlogEvents: sink.logger must be set");
}
