#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include <hubbub/backplane/nats/nats_names.hpp>
#include <hubbub/backplane/nats/nats_options.hpp>
#include <hubbub/policy/topics.hpp>

namespace hubbub::inline v0::detail {

/// The stream that keeps what HistoryLimits say, as JetStream's API takes it. All that goes into it is letters, digits, '-', '_' and '='.
///
/// Of bytes it keeps somewhat more, because JetStream counts subjects and headers too, and hubbub only what was published. It knows ids by
/// time, not by number.
inline std::string nats_stream_config(NatsOptions const& options, NatsNames const& names, std::string_view token,
                                      HistoryLimits const& limits) {
    using namespace std::chrono;
    constexpr milliseconds least(100), most(hours(24 * 365 * 100));  // as JetStream demands, and what fits into nanoseconds
    auto const age = std::clamp(limits.age, least, most);
    auto const known = std::clamp(limits.id_age, least, age);
    auto const nanoseconds_of = [](milliseconds time) { return std::to_string(nanoseconds(time).count()); };
    std::string const stored = names.stored(token);
    constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max() / 2;
    std::uint64_t const overhead = std::uint64_t{limits.messages} * (stored.size() + 160);
    std::uint64_t const bytes = std::min<std::uint64_t>(limits.bytes, largest) + overhead;

    std::string text = R"({"name":")" + names.stream(token);
    text += R"(","subjects":[")" + stored + R"(>"],"retention":"limits","discard":"old","max_consumers":-1)";
    text += ",\"max_msgs\":" + std::to_string(limits.messages);
    text += ",\"max_bytes\":" + std::to_string(bytes);
    text += ",\"max_age\":" + nanoseconds_of(age);
    text += ",\"duplicate_window\":" + nanoseconds_of(known);
    text += ",\"max_msgs_per_subject\":";
    text += limits.newest_per_key ? "1" : "-1";
    text += ",\"storage\":";
    text += options.storage == NatsStorage::file ? "\"file\"" : "\"memory\"";
    text += ",\"num_replicas\":" + std::to_string(options.replicas);
    std::string live = names.live(token);
    live.back() = '>';
    return text += R"(,"republish":{"src":")" + stored + R"(>","dest":")" + live + "\"}}";
}

}  // namespace hubbub::inline v0::detail
