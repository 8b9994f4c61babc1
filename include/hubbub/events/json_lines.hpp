#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/core/rfc3339.hpp>
#include <hubbub/core/session_name.hpp>
#include <hubbub/events/line_writer.hpp>
#include <hubbub/events/quoted_text.hpp>
#include <hubbub/events/rate_limited_events.hpp>
#include <hubbub/policy/event_sink.hpp>

namespace hubbub::inline v0 {

/// Writes each event as a line of JSON. Choose `JsonLines`, which has a limit of the rate.
///
///     {"time":"2026-11-24T18:02:25.123Z","level":"warning","event":"messages_dropped","shard":1,"session":"1-1a-3",
///      "detail":"slow_consumer","number":5}
///
/// The time is the system's, in UTC. `node` comes before `shard` where there are several. `session`, `detail` and `number` are left
/// out where there is none, or it is 0. What could not be written is counted, and told as `events_dropped` before the next line that
/// can be.
///
/// Threading: its shard's; the writer is for all of them.
/// Cost: one call of LineWriter::write for an event.
class JsonLineSink {
   public:
    struct Options {
        std::shared_ptr<LineWriter> writer{};  ///< where to
        EventLevel least = EventLevel::info;   ///< what matters less is left out
        std::chrono::system_clock::time_point (*now)() = [] { return std::chrono::system_clock::now(); };

        /// Throws std::invalid_argument with a sentence that names the member.
        void check() const {
            if (!writer)
                detail::throw_exception(std::invalid_argument(
                    "JsonLines: sink.writer must be set, as to std::make_shared<LineWriter>(STDERR_FILENO)"));
        }
    };

    explicit JsonLineSink(Options options, EventSource source = {}) : options_(std::move(options)), source_(source) {
        options_.check();
        line_.reserve(LineWriter::longest);
    }

    void on_event(Event const& event) noexcept {
        if (event.level() < options_.least) return;
        if (dropped_ && write({.name = "events_dropped", .number = dropped_})) dropped_ = 0;
        if (dropped_ || !write(event)) ++dropped_;
    }

   private:
    // The rest of a line is less than 512 bytes.
    static constexpr std::size_t longest_name = 128, longest_detail = 2048;
    static_assert(longest_name + longest_detail + 512 <= LineWriter::longest);

    bool write(Event const& event) {
        line_ = R"({"time":")";
        line_ += rfc3339(options_.now());
        line_ += R"(","level":")";
        line_ += event_level_names[static_cast<std::size_t>(event.level())];
        line_ += R"(","event":)";
        append_quoted(line_, event.name, longest_name);
        if (source_.node) {
            char text[40];
            (void)std::snprintf(text, sizeof text, R"(,"node":"%llx")", static_cast<unsigned long long>(source_.node));
            line_ += text;
        }
        add_number("shard", source_.shard.value);
        if (event.session) {
            line_ += R"(,"session":")";
            line_ += session_name(source_.node, event.session);
            line_ += '"';
        }
        if (!event.detail.empty()) {
            line_ += R"(,"detail":)";
            append_quoted(line_, event.detail, longest_detail);
        }
        if (event.number) add_number("number", event.number);
        line_ += "}\n";
        return options_.writer->write(line_);
    }
    void add_number(std::string_view name, std::uint64_t value) {
        char text[64];
        (void)std::snprintf(text, sizeof text, R"(,"%.*s":%llu)", static_cast<int>(name.size()), name.data(),
                            static_cast<unsigned long long>(value));
        line_ += text;
    }

    Options options_;
    EventSource source_;
    std::string line_;
    std::uint64_t dropped_ = 0;  ///< since something could be written
};

/// Writes events as lines of JSON, at a bounded rate.
///
/// Example:
///     struct Policy : hubbub::DefaultPolicy { using EventSink = hubbub::JsonLines; };
///     hubbub::HubOptions<Policy> options;
///     options.events.sink.writer = std::make_shared<hubbub::LineWriter>(STDERR_FILENO);
using JsonLines = RateLimitedEvents<JsonLineSink>;
static_assert(EventSink<JsonLines>);

}  // namespace hubbub::inline v0
