#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>

#include <hubbub/core/exceptions.hpp>

namespace hubbub::inline v0 {

/// The subprotocol that docs/protocol.md specifies, for `HubOptions::protocols`.
inline constexpr std::string_view protocol_name = "hubbub.v1.json";

/// How much a client of the protocol may ask for. What a message and a topic may have stands in HubOptions.
struct ProtocolLimits {
    std::uint32_t pending = 64;   ///< requests, histories, members and refreshes of a session that are not answered yet
    std::uint32_t history = 100;  ///< publications of one `history`
    std::size_t history_bytes = 64 * 1024;   ///< of their text, and half a queue at most, unless the first alone is longer
    std::uint32_t members = 100;             ///< of one `members`
    std::uint32_t newest = 1'000;            ///< that a subscription may begin with
    std::size_t token = 8 * 1024;            ///< bytes of a token
    std::size_t key = 128;                   ///< bytes of a key, and of the name of a publication
    std::size_t method = 64;                 ///< bytes of the method of a request
    std::size_t deepest = 32;                ///< levels of arrays and objects in a message
    std::uint32_t mistakes = 16;             ///< messages that make no sense; one more ends the session with 1008
    std::chrono::milliseconds ping{25'000};  ///< of silence, behind which a client should ask whether the server is there

    /// Throws std::invalid_argument with a sentence that names the member.
    void check() const {
        auto const demand = [](bool holds, char const* sentence) {
            if (!holds) detail::throw_exception(std::invalid_argument(sentence));
        };
        demand(pending >= 1, "ProtocolLimits::pending must be at least 1");
        demand(history >= 1 && history <= 10'000, "ProtocolLimits::history must be from 1 to 10000");
        demand(members <= 10'000, "ProtocolLimits::members must be at most 10000");
        demand(deepest >= 2 && deepest <= 1000, "ProtocolLimits::deepest must be from 2 to 1000");
        demand(ping.count() > 0, "ProtocolLimits::ping must be positive");
    }
};

}  // namespace hubbub::inline v0
