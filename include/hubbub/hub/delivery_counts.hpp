#pragma once

#include <cstdint>

#include <hubbub/policy/overflow_action.hpp>

namespace hubbub::inline v0 {

/// The sums of deliveries. At any quiet moment `deliveries == written + dropped + pending`, exactly.
struct DeliveryCounts {
    std::uint64_t deliveries = 0;  ///< messages that were meant for a session, once for each
    std::uint64_t written = 0;     ///< wholly taken by the connection
    std::uint64_t dropped[drop_reasons] = {};

    std::uint64_t all_dropped() const noexcept {
        std::uint64_t sum = 0;
        for (std::uint64_t const each : dropped) sum += each;
        return sum;
    }
    DeliveryCounts& operator+=(DeliveryCounts const& other) noexcept {
        deliveries += other.deliveries;
        written += other.written;
        for (std::size_t i = 0; i < drop_reasons; ++i) dropped[i] += other.dropped[i];
        return *this;
    }
};

}  // namespace hubbub::inline v0
