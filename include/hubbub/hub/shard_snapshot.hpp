#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <hubbub/hub/authentication_failure.hpp>
#include <hubbub/hub/delivery_counts.hpp>
#include <hubbub/hub/handshake.hpp>
#include <hubbub/hub/session_snapshot.hpp>
#include <hubbub/hub/shard_measures.hpp>
#include <hubbub/hub/topic_snapshot.hpp>
#include <hubbub/policy/compression.hpp>

namespace hubbub::inline v0 {

/// The sums and measures of a shard, or of all. At a quiet moment `delivery.deliveries == delivery.written +
/// delivery.all_dropped() + pending`.
struct ShardSnapshot {
    DeliveryCounts delivery;
    std::uint64_t pending = 0;  ///< messages that are queued
    std::uint64_t opened = 0;   ///< sessions so far
    std::uint64_t closed = 0;
    std::uint64_t received = 0;        ///< messages from clients
    std::uint64_t received_bytes = 0;  ///< of their payload
    std::uint64_t published = 0;       ///< publications that were given a place here, whoever heard them
    std::uint64_t letters = 0;         ///< to other shards
    std::uint64_t writes = 0;         ///< calls of `write` of connections: how much each carries is `delivery.written / writes`
    std::uint64_t written_bytes = 0;  ///< with headers and control frames, before TLS
    std::uint64_t unauthenticated[authentication_failures] = {};  ///< by AuthenticationFailure
    std::uint64_t callbacks_threw = 0;
    std::uint64_t refused[refusals] = {};  ///< connections, by Refusal
    std::uint64_t throttled = 0;           ///< how often a session went beyond its rates
    bool is_draining = false;              ///< nobody is let in any more
    std::size_t sessions = 0;
    std::size_t handshakes = 0;
    std::size_t topics = 0;
    std::size_t subscriptions = 0;       ///< to topics of the application
    std::size_t pooled_bytes = 0;        ///< of memory that queues use now
    std::size_t memory_of_queues = 0;    ///< the same with what is free for use and what large messages take: bytes
    std::size_t memory_of_inbound = 0;   ///< bytes for what came and is not whole, or waits
    std::size_t memory_of_history = 0;   ///< bytes for what topics remember
    std::size_t memory_of_presence = 0;  ///< bytes for who is subscribed to topics that know it
    std::uint64_t shed = 0;              ///< sessions that were ended for want of memory
    CompressionCounts compression;       ///< all 0 without Policy::Compression
    std::uint64_t continuity_lost = 0;   ///< times that the members of a topic were told that they may have missed something
    ShardMeasures measures;
    std::vector<SessionSnapshot> worst;       ///< with CollectOptions::sessions, the worst first
    std::vector<TopicSnapshot> listed;        ///< with CollectOptions::busiest and topics; in no order
    std::chrono::microseconds loop_lag{0};    ///< how late the last tick was; the worst of all shards
    std::chrono::milliseconds round_trip{0};  ///< of pings, smoothed; the worst of all shards

    ShardSnapshot& operator+=(ShardSnapshot const& other) {
        delivery += other.delivery;
        pending += other.pending;
        opened += other.opened;
        closed += other.closed;
        received += other.received;
        received_bytes += other.received_bytes;
        published += other.published;
        letters += other.letters;
        writes += other.writes;
        written_bytes += other.written_bytes;
        for (std::size_t i = 0; i < authentication_failures; ++i) unauthenticated[i] += other.unauthenticated[i];
        callbacks_threw += other.callbacks_threw;
        for (std::size_t i = 0; i < refusals; ++i) refused[i] += other.refused[i];
        is_draining = is_draining || other.is_draining;
        sessions += other.sessions;
        handshakes += other.handshakes;
        topics += other.topics;
        subscriptions += other.subscriptions;
        pooled_bytes += other.pooled_bytes;
        memory_of_queues += other.memory_of_queues;
        memory_of_inbound += other.memory_of_inbound;
        memory_of_history += other.memory_of_history;
        memory_of_presence += other.memory_of_presence;
        shed += other.shed;
        throttled += other.throttled;
        compression += other.compression;
        continuity_lost += other.continuity_lost;
        measures += other.measures;
        loop_lag = std::max(loop_lag, other.loop_lag);
        round_trip = std::max(round_trip, other.round_trip);
        return *this;
    }
};

}  // namespace hubbub::inline v0
