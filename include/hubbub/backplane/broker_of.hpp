#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <hubbub/core/siphash.hpp>

namespace hubbub::inline v0 {

/// Which of several independent brokers has a topic: the same on every node that has the same list. One more at the end of the list takes
/// its share of the topics, and no other topic moves.
/// Cost: logarithmic in the number of brokers. Source: Lamping and Veach, A Fast, Minimal Memory, Consistent Hash Algorithm (2014).
inline std::size_t broker_of(std::string_view topic, std::size_t brokers) noexcept {
    if (brokers <= 1) return 0;
    std::uint64_t key = SipHash{0, 0}(topic);  // no secret: nodes have to agree
    std::int64_t chosen = -1, next = 0;
    while (next < static_cast<std::int64_t>(brokers)) {
        chosen = next;
        key = key * 2862933555777941757u + 1;
        next = static_cast<std::int64_t>(static_cast<double>(chosen + 1) *
                                         (static_cast<double>(std::int64_t{1} << 31) / static_cast<double>((key >> 33) + 1)));
    }
    return static_cast<std::size_t>(chosen);
}

}  // namespace hubbub::inline v0
