#include <spdlog/logger.h>

#include <memory>

#include <hubbub/events/spdlog/spdlog_events.hpp>

bool spdlog_works();
bool spdlog_works() {
    hubbub::SpdlogEvents::Options options;
    options.sink.logger = std::make_shared<spdlog::logger>("nobody");
    options.check();
    hubbub::SpdlogEvents events(options);
    events.on_event({.name = "tried"});
    return true;
}
