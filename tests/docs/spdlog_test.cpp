// The code of docs/events.md that needs spdlog; see snippets_test.cpp.
#include <spdlog/sinks/ostream_sink.h>

#include <memory>
#include <sstream>
#include <utility>

#include <hubbub/events/spdlog/spdlog_events.hpp>
#include <hubbub/hub/hub.hpp>
#include <hubbub/transport/memory/manual_loop.hpp>
#include <hubbub/transport/memory/memory_connection.hpp>

#include "tests/support/catch.hpp"

namespace spdlog_snippets {

// [spdlog]
struct LoggedPolicy : hubbub::DefaultPolicy {
    using EventSink = hubbub::SpdlogEvents;
};

hubbub::HubOptions<LoggedPolicy> log_to(std::shared_ptr<spdlog::logger> logger) {
    hubbub::HubOptions<LoggedPolicy> options;
    options.events.sink.logger = std::move(logger);  // such as spdlog::default_logger()
    return options;
}
// [/spdlog]

}  // namespace spdlog_snippets

TEST_CASE("docs: events go to spdlog") {
    std::ostringstream text;
    auto const logger = std::make_shared<spdlog::logger>("docs", std::make_shared<spdlog::sinks::ostream_sink_mt>(text));
    hubbub::ManualLoop loop;
    hubbub::Hub<hubbub::MemoryConnection, spdlog_snippets::LoggedPolicy> hub(loop, hubbub::NoopHandler{},
                                                                             spdlog_snippets::log_to(logger));
    hub.report("tried", "in the docs");
    while (loop.run_turn()) continue;
    CHECK(text.str().find("tried shard=0 detail=\"in the docs\"") != std::string::npos);
}
