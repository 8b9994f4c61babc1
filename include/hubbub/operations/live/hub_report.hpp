#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <hubbub/core/session_name.hpp>
#include <hubbub/hub/hub_snapshot.hpp>
#include <hubbub/operations/cause.hpp>
#include <hubbub/operations/live/live_options.hpp>

namespace hubbub::inline v0 {

/// A hub for people, as JSON: what it does in a second, from two snapshots, and what it has.
///
/// Errors: none; a name that is no UTF-8 is shown with replacement characters.
/// Cost: some tens of microseconds; not for a loop that serves clients.
class HubReport {
   public:
    using Json = nlohmann::json;
    static constexpr std::string_view hidden = "(hidden)";  ///< in place of a user

    HubReport(HubSnapshot const& before, HubSnapshot const& now, OperationsOptions const& options)
        : before_(before), now_(now), options_(options) {
        seconds_ = now.seconds_since(before);
    }

    Json whole(std::vector<Cause> const& causes) const {
        ShardSnapshot const was = before_.total(), is = now_.total();
        return {{"type", "report"},
                {"seconds", seconds_},
                {"draining", now_.is_draining()},
                {"shards", shards()},
                {"rates", rates(was, is)},
                {"totals", totals(is)},
                {"memory", memory(is)},
                {"backplane", backplane()},
                {"callbacks", callbacks(was, is)},
                {"latency", latency(was, is)},
                {"sessions", sessions(now_.worst())},
                {"topics", topics()},
                {"causes", list_of(causes)}};
    }
    /// A line of the plots.
    Json point() const {
        ShardSnapshot const was = before_.total(), is = now_.total();
        double busiest = 0;
        for (std::size_t i = 0; i < now_.shards.size() && i < before_.shards.size(); ++i) busiest = std::max(busiest, busy(i));
        return {{"sessions", is.sessions},
                {"received", rate(was.received, is.received)},
                {"published", rate(was.published, is.published)},
                {"written", rate(was.delivery.written, is.delivery.written)},
                {"dropped", rate(was.delivery.all_dropped(), is.delivery.all_dropped())},
                {"busy", busiest},
                {"lag_ms", static_cast<double>(is.loop_lag.count()) / 1000}};
    }
    Json sessions(std::vector<SessionSnapshot> worst) const;
    static Json list_of(std::vector<Cause> const& causes) {
        Json all = Json::array();
        for (Cause const& each : causes)
            all.push_back({{"name", each.name}, {"weight", each.weight}, {"evidence", each.evidence}, {"remedy", each.remedy}});
        return all;
    }
    /// Names come from clients, who may put any bytes into them.
    static std::string text(Json const& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

   private:
    double rate(std::uint64_t was, std::uint64_t is) const { return is < was ? 0 : static_cast<double>(is - was) / seconds_; }
    double busy(std::size_t shard) const noexcept { return now_.busy_since(before_, shard); }
    static double milliseconds(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e6; }

    Json shards() const;
    Json rates(ShardSnapshot const& was, ShardSnapshot const& is) const;
    Json totals(ShardSnapshot const& is) const;
    Json memory(ShardSnapshot const& is) const;
    Json backplane() const;
    Json callbacks(ShardSnapshot const& was, ShardSnapshot const& is) const;
    Json latency(ShardSnapshot const& was, ShardSnapshot const& is) const;
    Json topics() const;
    std::string address(PeerAddress const& peer) const;

    HubSnapshot const& before_;
    HubSnapshot const& now_;
    OperationsOptions const& options_;
    double seconds_;
};

inline HubReport::Json HubReport::shards() const {
    Json all = Json::array();
    for (std::size_t i = 0; i < now_.shards.size(); ++i) {
        ShardSnapshot const& shard = now_.shards[i];
        bool const known = i < before_.shards.size();
        auto const turns = known ? shard.measures.turns - before_.shards[i].measures.turns : shard.measures.turns;
        all.push_back({{"sessions", shard.sessions},
                       {"handshakes", shard.handshakes},
                       {"topics", shard.topics},
                       {"pending", shard.pending},
                       {"busy", known ? busy(i) : 0.0},
                       {"turn_p99_ms", milliseconds(turns.quantile(0.99))},
                       {"lag_ms", static_cast<double>(shard.loop_lag.count()) / 1000}});
    }
    return all;
}

inline HubReport::Json HubReport::rates(ShardSnapshot const& was, ShardSnapshot const& is) const {
    Json refused = Json::object(), dropped = Json::object();
    for (std::size_t i = 0; i < refusals; ++i) refused[std::string(refusal_names[i])] = rate(was.refused[i], is.refused[i]);
    for (std::size_t i = 0; i < drop_reasons; ++i)
        dropped[std::string(drop_reason_names[i])] = rate(was.delivery.dropped[i], is.delivery.dropped[i]);
    return {{"received", rate(was.received, is.received)},
            {"received_bytes", rate(was.received_bytes, is.received_bytes)},
            {"published", rate(was.published, is.published)},
            {"deliveries", rate(was.delivery.deliveries, is.delivery.deliveries)},
            {"written", rate(was.delivery.written, is.delivery.written)},
            {"written_bytes", rate(was.written_bytes, is.written_bytes)},
            {"opened", rate(was.opened, is.opened)},
            {"closed", rate(was.closed, is.closed)},
            {"dropped", std::move(dropped)},
            {"refused", std::move(refused)}};
}

inline HubReport::Json HubReport::totals(ShardSnapshot const& is) const {
    return {{"sessions", is.sessions},
            {"subscriptions", is.subscriptions},
            {"topics", is.topics},
            {"pending", is.pending},
            {"opened", is.opened},
            {"closed", is.closed},
            {"shed", is.shed},
            {"throttled", is.throttled},
            {"callbacks_threw", is.callbacks_threw}};
}

inline HubReport::Json HubReport::memory(ShardSnapshot const& is) const {
    return {{"used", now_.memory_used},
            {"high", now_.memory_high},
            {"limit", now_.memory_limit},
            {"parts",
             {{"queues", is.memory_of_queues},
              {"inbound", is.memory_of_inbound},
              {"history", is.memory_of_history},
              {"presence", is.memory_of_presence},
              {"compression", is.compression.bytes}}}};
}

inline HubReport::Json HubReport::backplane() const {
    BackplaneSnapshot const& is = now_.backplane;
    return {{"continuous", is.continuous},
            {"brokers", is.brokers},
            {"ready", is.ready},
            {"apart", is.apart},
            {"waiting_messages", is.waiting_messages},
            {"waiting_bytes", is.waiting_bytes},
            {"published", rate(before_.backplane.published, is.published)},
            {"received", rate(before_.backplane.received, is.received)},
            {"losses", is.losses}};
}

/// What user code takes of the loops, as a part of one.
inline HubReport::Json HubReport::callbacks(ShardSnapshot const& was, ShardSnapshot const& is) const {
    Json all = Json::object();
    for (std::size_t i = 0; i < callback_kinds; ++i) {
        CallbackCounts const between = is.measures.callbacks[i] - was.measures.callbacks[i];
        if (between.calls)
            all[std::string(callback_kind_names[i])] = {
                {"calls", static_cast<double>(between.calls) / seconds_},
                {"busy", std::chrono::duration<double>(between.time).count() / seconds_},
                {"slow", between.slow}};
    }
    return all;
}

inline HubReport::Json HubReport::latency(ShardSnapshot const& was, ShardSnapshot const& is) const {
    ShardMeasures const &before = was.measures, &now = is.measures;
    return {{"round_trip_ms", is.round_trip.count()},
            {"fan_out_p99_ms", milliseconds((now.fan_outs - before.fan_outs).quantile(0.99))},
            {"handshake_p99_ms", milliseconds((now.handshakes - before.handshakes).quantile(0.99))},
            {"lag_p99_ms", milliseconds((now.loop_lags - before.loop_lags).quantile(0.99))}};
}

inline HubReport::Json HubReport::sessions(std::vector<SessionSnapshot> worst) const {
    if (worst.size() > options_.sessions) worst.resize(options_.sessions);
    Json all = Json::array();
    for (SessionSnapshot const& each : worst)
        all.push_back({{"id", session_name(now_.node, each.id)},
                       {"user", options_.hide_users && !each.user.empty() ? std::string(hidden) : each.user},
                       {"labels", options_.hide_users ? std::vector<std::string>() : each.labels},
                       {"address", address(each.peer)},
                       {"queued_bytes", each.queued_bytes},
                       {"queued_messages", each.queued_messages},
                       {"stalled_ms", each.stalled.count()},
                       {"written", each.written},
                       {"dropped", each.dropped}});
    return all;
}

inline HubReport::Json HubReport::topics() const {
    std::map<std::string, std::uint64_t> earlier;
    for (TopicSnapshot const& each : before_.topics()) earlier[each.name] = each.published;
    Json all = Json::array();
    for (TopicSnapshot const& each : now_.topics()) {
        auto const was = earlier.find(each.name);
        std::uint64_t dropped = 0;
        for (std::uint64_t const count : each.dropped) dropped += count;
        all.push_back({{"name", each.name},
                       {"members", each.members},
                       {"published", each.published},
                       {"rate", was == earlier.end() ? 0.0 : rate(was->second, each.published)},
                       {"dropped", dropped}});
    }
    return all;
}

/// The last part of an address names a household or a person; the rest still tells one network from another.
inline std::string HubReport::address(PeerAddress const& peer) const {
    std::string text = peer.unmapped().to_string();
    if (!options_.hide_addresses) return text;
    if (peer.unmapped().family == PeerAddress::Family::ipv4) return text.substr(0, text.rfind('.')) + ".x";
    if (peer.family == PeerAddress::Family::ipv6) return peer.network().to_string() + "/64";
    return text;
}

}  // namespace hubbub::inline v0
