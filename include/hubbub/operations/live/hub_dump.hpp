#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <hubbub/hub/hub_snapshot.hpp>
#include <hubbub/version.hpp>

namespace hubbub::inline v0 {

namespace detail {

template <class Histogram>
nlohmann::json dump_of(Histogram const& histogram) {
    return {{"count", histogram.count()},
            {"sum", histogram.sum()},
            {"p50", histogram.quantile(0.5)},
            {"p99", histogram.quantile(0.99)}};
}

template <std::size_t N>
nlohmann::json dump_of(std::uint64_t const (&counts)[N], std::string_view const (&names)[N]) {
    auto all = nlohmann::json::object();
    for (std::size_t i = 0; i < N; ++i)
        if (counts[i]) all[std::string(names[i])] = counts[i];
    return all;
}

inline nlohmann::json dump_of(ShardSnapshot const& shard) {
    auto callbacks = nlohmann::json::object();
    for (std::size_t i = 0; i < callback_kinds; ++i)
        if (CallbackCounts const& each = shard.measures.callbacks[i]; each.calls)
            callbacks[std::string(callback_kind_names[i])] = {
                {"calls", each.calls}, {"ns", each.time.count()}, {"slow", each.slow}};
    auto closes = nlohmann::json::array();
    for (CloseCounts::Count const& each : shard.measures.closes.counts())
        closes.push_back(
            {{"code", static_cast<int>(each.code)}, {"by", static_cast<int>(each.by)}, {"sessions", each.sessions}});
    return {{"sessions", shard.sessions},
            {"handshakes", shard.handshakes},
            {"draining", shard.is_draining},
            {"topics", shard.topics},
            {"subscriptions", shard.subscriptions},
            {"counts",
             {{"opened", shard.opened},
              {"closed", shard.closed},
              {"received", shard.received},
              {"received_bytes", shard.received_bytes},
              {"published", shard.published},
              {"letters", shard.letters},
              {"writes", shard.writes},
              {"written_bytes", shard.written_bytes},
              {"callbacks_threw", shard.callbacks_threw},
              {"throttled", shard.throttled},
              {"shed", shard.shed},
              {"continuity_lost", shard.continuity_lost},
              {"refused", dump_of(shard.refused, refusal_names)},
              {"unauthenticated", dump_of(shard.unauthenticated, authentication_failure_names)}}},
            {"queues",
             {{"deliveries", shard.delivery.deliveries},
              {"written", shard.delivery.written},
              {"pending", shard.pending},
              {"dropped", dump_of(shard.delivery.dropped, drop_reason_names)},
              {"bytes", dump_of(shard.measures.queue_bytes)},
              {"stalled_ns", dump_of(shard.measures.queue_ages)}}},
            {"memory",
             {{"pooled", shard.pooled_bytes},
              {"queues", shard.memory_of_queues},
              {"inbound", shard.memory_of_inbound},
              {"history", shard.memory_of_history},
              {"presence", shard.memory_of_presence},
              {"compression", shard.compression.bytes}}},
            {"timers",
             {{"late_us", shard.loop_lag.count()},
              {"late_ns", dump_of(shard.measures.loop_lags)},
              {"round_trip_ms", shard.round_trip.count()},
              {"round_trip_ns", dump_of(shard.measures.round_trips)}}},
            {"turn_ns", dump_of(shard.measures.turns)},
            {"fan_out_ns", dump_of(shard.measures.fan_outs)},
            {"handshake_ns", dump_of(shard.measures.handshakes)},
            {"callbacks", std::move(callbacks)},
            {"closes", std::move(closes)}};
}

}  // namespace detail

/// All that a snapshot has, as JSON for a bug report: shards, queues, timers, and the sessions and topics that were asked for. Nobody
/// is named in it: users, labels and addresses are left out, and topics are numbered.
///
/// Cost: some tens of microseconds a shard; not for a loop that serves clients.
/// Example: `hub.collect({.sessions = 20, .busiest = 20}, [](hubbub::HubSnapshot const& all) { log(hubbub::hub_dump(all).dump()); });`
inline nlohmann::json hub_dump(HubSnapshot const& hub) {
    auto shards = nlohmann::json::array(), sessions = nlohmann::json::array(), topics = nlohmann::json::array();
    for (ShardSnapshot const& each : hub.shards) shards.push_back(detail::dump_of(each));
    for (SessionSnapshot const& each : hub.worst())
        sessions.push_back({{"shard", each.id.shard.value},
                            {"queued_bytes", each.queued_bytes},
                            {"queued_messages", each.queued_messages},
                            {"stalled_ms", each.stalled.count()},
                            {"written", each.written},
                            {"dropped", each.dropped}});
    for (TopicSnapshot const& each : hub.topics())
        topics.push_back({{"topic", topics.size() + 1},
                          {"members", each.members},
                          {"published", each.published},
                          {"dropped", detail::dump_of(each.dropped, drop_reason_names)}});
    BackplaneSnapshot const& brokers = hub.backplane;
    return {{"hubbub", HUBBUB_VERSION},
            {"shards", std::move(shards)},
            {"sessions", std::move(sessions)},
            {"topics", std::move(topics)},
            {"memory", {{"used", hub.memory_used}, {"high", hub.memory_high}, {"limit", hub.memory_limit}}},
            {"backplane",
             {{"continuous", brokers.continuous},
              {"brokers", brokers.brokers},
              {"ready", brokers.ready},
              {"apart", brokers.apart},
              {"waiting_messages", brokers.waiting_messages},
              {"waiting_bytes", brokers.waiting_bytes},
              {"published", brokers.published},
              {"repeated", brokers.repeated},
              {"failed", brokers.failed},
              {"received", brokers.received},
              {"doubles", brokers.doubles},
              {"malformed", brokers.malformed},
              {"losses", brokers.losses},
              {"interruptions", brokers.interruptions}}}};
}

}  // namespace hubbub::inline v0
