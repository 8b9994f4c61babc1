#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include <hubbub/ws/close_payload.hpp>

namespace hubbub::inline v0 {

/// A reason for a Close that also says within which time clients of the protocol shall come back: each draws its own moment of it, so
/// that a server is not met by all at once. The hint stands at the end, and a reason that is too long is cut before it.
///
/// Example: `options.drain.reason = hubbub::with_retry_hint("the server restarts", 10s);  // "the server restarts; retry=10000"`
inline std::string with_retry_hint(std::string reason, std::chrono::milliseconds within) {
    std::string const hint = "; retry=" + std::to_string(within.count());
    std::size_t most = ws::max_control_payload - 2 - hint.size();
    if (reason.size() > most) {
        while (most != 0 && (static_cast<unsigned char>(reason[most]) & 0xC0) == 0x80) --most;  // between two characters
        reason.resize(most);
    }
    return reason += hint;
}

}  // namespace hubbub::inline v0
