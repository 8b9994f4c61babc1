#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace hubbub::inline v0 {

/// What a hub knows of its brokers. Without one everything is 0 but `continuous`, which is true.
struct BackplaneSnapshot {
    bool continuous = true;  ///< each broker is there
    std::size_t brokers = 0;
    std::size_t ready = 0;                                ///< of them
    std::size_t apart = 0;                                ///< of them: away for longer than OutboxLimits::patience
    std::size_t waiting_messages = 0, waiting_bytes = 0;  ///< in outboxes
    std::uint64_t published = 0;                          ///< that a broker has acknowledged
    std::uint64_t repeated = 0;                           ///< of them, sent again because an answer was lost
    std::uint64_t failed = 0;         ///< that a broker refused, or that were dropped because the outbox was full
    std::uint64_t received = 0;       ///< messages of other nodes
    std::uint64_t doubles = 0;        ///< that came twice, and were heard once
    std::uint64_t malformed = 0;      ///< that were no messages of a node
    std::uint64_t losses = 0;         ///< times that a broker was lost
    std::uint64_t interruptions = 0;  ///< subscriptions that were interrupted
};

/// The same while it changes: written by the backplane's thread, read by any.
struct BackplaneCounts {
    using Count = std::atomic<std::uint64_t>;
    Count brokers{0}, ready{0}, apart{0}, waiting_messages{0}, waiting_bytes{0}, published{0}, repeated{0}, failed{0},
        received{0}, doubles{0}, malformed{0}, losses{0}, interruptions{0};

    static void set(Count& count, std::uint64_t value) noexcept { count.store(value, std::memory_order_relaxed); }
    /// There is one writer.
    static void add(Count& count, std::uint64_t value = 1) noexcept { set(count, get(count) + value); }
    static std::uint64_t get(Count const& count) noexcept { return count.load(std::memory_order_relaxed); }

    BackplaneSnapshot snapshot() const noexcept {
        return {.continuous = get(brokers) == get(ready),
                .brokers = get(brokers),
                .ready = get(ready),
                .apart = get(apart),
                .waiting_messages = get(waiting_messages),
                .waiting_bytes = get(waiting_bytes),
                .published = get(published),
                .repeated = get(repeated),
                .failed = get(failed),
                .received = get(received),
                .doubles = get(doubles),
                .malformed = get(malformed),
                .losses = get(losses),
                .interruptions = get(interruptions)};
    }
};

}  // namespace hubbub::inline v0
