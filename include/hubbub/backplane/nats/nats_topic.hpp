#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hubbub/backplane/nats/nats_inbox.hpp>
#include <hubbub/core/clock.hpp>
#include <hubbub/core/position.hpp>
#include <hubbub/policy/topics.hpp>

namespace hubbub::inline v0::detail {

/// A publication with history, until its stream is there.
struct NatsPublication {
    std::uint64_t serial;
    std::string body;
    std::uint64_t key, id;
};

/// What a node knows of a stream, and what waits for it.
struct NatsStream {
    enum class State : std::uint8_t { unknown, asked, there };
    State state = State::unknown;
    HistoryLimits limits{};
    std::uint64_t epoch = 0;                       ///< 0: not known since the connection was made
    std::uint64_t last_epoch = 0, seen = 0;        ///< the one before, and the greatest offset that this node knows of it
    std::uint64_t heard = 0;                       ///< the offset that came last
    std::uint64_t base = 0;                        ///< what shall come first, while `heard` is 0
    std::map<std::uint64_t, NatsArrival> early{};  ///< has come before what is before it
    TimePoint early_since{};
    std::uint64_t acknowledged = 0;  ///< the offset that this node was given last
    std::vector<NatsPublication> waiting{};
    bool asks_epoch = false;
    std::vector<NatsArrival> held{};                              ///< has come, while the epoch was not known
    std::vector<std::pair<std::uint64_t, std::uint64_t>> acks{};  ///< serials and offsets, while the epoch was not known
    Position measured{};                                          ///< the newest offset for which `fits_from` was found
    std::size_t measured_bytes = 0;                               ///< and for how many bytes
    std::uint64_t fits_from = 0;                                  ///< the first offset within the bytes
    std::size_t open = 0;                                         ///< publications and questions that have no answer yet
};

/// A topic that this node is subscribed to or whose stream it knows.
struct NatsTopic {
    std::string name{};
    std::string token{};
    bool subscribed = false;
    bool told = false;               ///< by on_subscribed
    std::uint64_t subscription = 0;  ///< the number of it
    bool used = true;                ///< lately
    NatsStream stream{};

    bool is_idle() const {
        return !subscribed && stream.open == 0 && stream.waiting.empty() && stream.state != NatsStream::State::asked;
    }
};

struct NatsTokenHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view token) const noexcept { return std::hash<std::string_view>()(token); }
};

/// By their tokens. Their addresses stay.
using NatsTopics = std::unordered_map<std::string, NatsTopic, NatsTokenHash, std::equal_to<>>;

}  // namespace hubbub::inline v0::detail
