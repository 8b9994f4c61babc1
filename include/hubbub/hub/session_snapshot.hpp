#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <hubbub/core/ids.hpp>
#include <hubbub/core/peer_address.hpp>

namespace hubbub::inline v0 {

/// One session at one moment.
struct SessionSnapshot {
    SessionId id{};
    std::string user{};
    std::vector<std::string> labels{};
    PeerAddress peer{};
    std::uint32_t queued_bytes = 0, queued_messages = 0;
    std::chrono::milliseconds stalled{0};    ///< nothing of what is queued has gone out for so long; to a tenth of a second
    std::uint64_t written = 0, dropped = 0;  ///< messages

    /// Who is looked at first.
    struct Worse {
        bool operator()(SessionSnapshot const& one, SessionSnapshot const& other) const noexcept {
            if (one.queued_bytes != other.queued_bytes) return one.queued_bytes > other.queued_bytes;
            return one.stalled != other.stalled ? one.stalled > other.stalled : one.id < other.id;
        }
    };
};

}  // namespace hubbub::inline v0
