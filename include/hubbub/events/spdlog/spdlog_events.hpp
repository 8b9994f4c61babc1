#pragma once

#include <spdlog/logger.h>

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <hubbub/core/completes.hpp>
#include <hubbub/core/exceptions.hpp>
#include <hubbub/core/session_name.hpp>
#include <hubbub/events/quoted_text.hpp>
#include <hubbub/events/rate_limited_events.hpp>
#include <hubbub/policy/event_sink.hpp>

namespace hubbub::inline v0 {

/// Gives events to a logger of spdlog, at the level that each has. Choose `SpdlogEvents`, which has a limit of the rate.
///
///     messages_dropped shard=1 session=1-1a-3 detail="slow_consumer" number=5
///
/// The detail is quoted as in JSON, so that nobody can forge a line. What is left out is as in JsonLines.
///
/// Threading: its shard's; the logger is for all of them, so its sinks have to be those for several threads (`_mt`).
/// Errors: an exception of the logger is caught; spdlog's error handler hears of others.
/// Cost: what the logger's sinks cost, on the loop. A logger that is asynchronous must not block where its queue is full
/// (`overrun_oldest`).
class SpdlogSink {
   public:
    struct Options {
        std::shared_ptr<spdlog::logger> logger{};  ///< where to; it decides which levels it takes

        /// Throws std::invalid_argument with a sentence that names the member.
        void check() const {
            if (!logger) detail::throw_exception(std::invalid_argument("SpdlogEvents: sink.logger must be set"));
        }
    };

    explicit SpdlogSink(Options options, EventSource source = {}) : options_(std::move(options)), source_(source) {
        options_.check();
    }

    void on_event(Event const& event) noexcept {
        spdlog::level::level_enum const level = levels[static_cast<std::size_t>(event.level())];
        if (options_.logger->should_log(level)) (void)completes([&] { options_.logger->log(level, text_of(event)); });
    }

   private:
    static constexpr std::size_t longest_detail = 2048;
    static constexpr spdlog::level::level_enum levels[] = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                                           spdlog::level::err};

    std::string text_of(Event const& event) const {
        std::string text(event.name);
        text += " shard=" + std::to_string(source_.shard.value);
        if (event.session) text += " session=" + session_name(source_.node, event.session);
        if (!event.detail.empty()) append_quoted(text += " detail=", event.detail, longest_detail);
        if (event.number) text += " number=" + std::to_string(event.number);
        return text;
    }

    Options options_;
    EventSource source_;
};

/// Gives events to a logger of spdlog, at a bounded rate.
///
/// Example:
///     struct Policy : hubbub::DefaultPolicy { using EventSink = hubbub::SpdlogEvents; };
///     hubbub::HubOptions<Policy> options;
///     options.events.sink.logger = spdlog::default_logger();
using SpdlogEvents = RateLimitedEvents<SpdlogSink>;
static_assert(EventSink<SpdlogEvents>);

}  // namespace hubbub::inline v0
