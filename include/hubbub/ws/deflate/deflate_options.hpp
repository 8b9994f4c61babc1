#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>

#include <hubbub/core/exceptions.hpp>

namespace hubbub::inline v0::ws {

/// How messages are compressed, and what of a client's wishes is granted. The defaults cost no memory for a session.
struct DeflateOptions {
    int level = 6;                 ///< of zlib, 1 (fast) to 9 (small)
    int memory_level = 6;          ///< of zlib, 1 to 9; each message clears a table of 256 bytes << memory_level
    std::size_t threshold = 256;   ///< bytes of a message; a smaller one is sent as it is
    int server_window_bits = 15;   ///< 8 to 15: how far back what we send refers, as a power of 2; a client may ask for less
    int client_window_bits = 15;   ///< the same for what a client sends, if it lets us choose
    bool server_takeover = false;  ///< false: our answer promises that our messages stand alone. They always do.
    bool client_takeover = false;  ///< a client's messages may refer to earlier ones: up to 2^bits bytes for a session

    /// Throws std::invalid_argument with a sentence that names the member.
    void check() const {
        auto const demand = [](bool holds, char const* sentence) {
            if (!holds) hubbub::detail::throw_exception(std::invalid_argument(sentence));
        };
        demand(level >= 1 && level <= 9, "HubOptions::compression.level must be from 1 to 9");
        demand(memory_level >= 1 && memory_level <= 9, "HubOptions::compression.memory_level must be from 1 to 9");
        demand(threshold >= 1, "HubOptions::compression.threshold must be at least 1 byte");
        demand(server_window_bits >= 8 && server_window_bits <= 15,
               "HubOptions::compression.server_window_bits must be from 8 to 15");
        demand(client_window_bits >= 8 && client_window_bits <= 15,
               "HubOptions::compression.client_window_bits must be from 8 to 15");
    }
};

}  // namespace hubbub::inline v0::ws
