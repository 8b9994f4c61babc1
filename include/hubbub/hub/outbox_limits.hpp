#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace hubbub::inline v0 {

/// How much may wait for a broker, and for how long it is waited for.
struct OutboxLimits {
    enum class Full : std::uint8_t { drop_newest, drop_oldest };

    std::size_t bytes = 16 * 1024 * 1024;  ///< of publications that the broker has not acknowledged
    std::size_t messages = 65'536;         ///< of each broker
    Full on_full = Full::drop_newest;      ///< while the broker is away; else publishers wait
    /// A broker that is away for longer is not waited for: see TopicOptions::when_apart.
    std::chrono::milliseconds patience{3000};
};

}  // namespace hubbub::inline v0
