#include <spdlog/sinks/ostream_sink.h>

#include <algorithm>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <hubbub/events/json_lines.hpp>
#include <hubbub/events/spdlog/spdlog_events.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/noisy_hub.hpp"
#include "tests/support/secrets.hpp"
#include "tests/unit/events/descriptors.hpp"

namespace jwt_secrets {

using namespace hubbub;

/// One run of everything that goes wrong is enough for both.
class BothSinks {
   public:
    struct Options {
        JsonLines::Options lines;
        SpdlogEvents::Options log;
    };
    explicit BothSinks(Options const& options, EventSource source = {})
        : lines_(options.lines, source), log_(options.log, source) {}
    void on_event(Event const& event) noexcept {
        lines_.on_event(event);
        log_.on_event(event);
    }
    void on_tick(TimePoint now) noexcept {
        lines_.on_tick(now);
        log_.on_tick(now);
    }

   private:
    JsonLines lines_;
    SpdlogEvents log_;
};

/// Where the two write to.
struct Outputs {
    descriptors::File file;
    std::ostringstream text;
    BothSinks::Options options{
        .lines = {.sink = {.writer = std::make_shared<LineWriter>(file.descriptor()), .least = EventLevel::debug}},
        .log = {.sink = {std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text))}}};

    Outputs() {
        options.log.sink.logger->set_level(spdlog::level::debug);
        options.lines.events = options.log.events = 1000;
    }
};

}  // namespace jwt_secrets

using jwt_secrets::BothSinks;
using jwt_secrets::Outputs;

TEST_CASE("No event holds a secret in any form, whatever goes wrong, neither in lines of JSON nor in spdlog") {
    hubbub_test::Secrets secrets;
    Outputs outputs;
    noisy_hub::Noise<BothSinks>(outputs.options, secrets).make();

    for (std::string const& log : {outputs.file.text(), outputs.text.str()}) {
        for (auto const name : noisy_hub::provoked) {
            INFO(name);
            CHECK(log.find(name) != std::string::npos);
        }
        for (auto const detail : noisy_hub::provoked_details) {
            INFO(detail);
            CHECK(log.find('"' + std::string(detail) + '"') != std::string::npos);
        }
        CHECK(secrets.found_in(log) == std::vector<std::string>());
    }

    // What is found nowhere has to be found where it is: each word, in each form, through the same sinks.
    CHECK(secrets.forms().size() > 400);
    for (auto const& [written, name] : secrets.forms()) {
        Outputs leak;
        BothSinks(leak.options).on_event({.name = "leak", .detail = "a" + written + "b"});
        for (std::string const& log : {leak.file.text(), leak.text.str()}) {
            auto const found = secrets.found_in(log);
            if (std::find(found.begin(), found.end(), name) == found.end()) FAIL(name << " was not found in " << log);
        }
    }
}
