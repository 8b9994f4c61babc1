#pragma once

#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <hubbub/hub/hub_snapshot.hpp>
#include <hubbub/metrics/metric_sink.hpp>
#include <hubbub/version.hpp>

namespace hubbub::inline v0 {

/// Writes down all that a hub has counted and measured. What is a counter here is what the accounting of deliveries is proved with: at a
/// quiet moment deliveries are those that were written, dropped and are pending, exactly.
///
/// Labels have few values: shards, reasons, callback_kinds, parts, close codes (CloseCounts bounds them), and the topics that the snapshot lists,
/// which are what the host chose.
///
/// Cost: about 300 samples and 30 for each shard; nothing of it on the path of a message.
template <MetricSink Sink>
class HubMetrics {
   public:
    explicit HubMetrics(Sink& sink) : sink_(sink) {}

    void write(HubSnapshot const& hub) {
        ShardSnapshot const all = hub.total();
        write_sessions(hub, all);
        write_messages(all);
        write_queues(all);
        write_loops(hub, all);
        write_memory(hub, all);
        write_backplane(hub.backplane, all);
        write_topics(hub.topics());
    }

   private:
    using Label = MetricLabel;

    static constexpr MetricType counter = MetricType::counter, gauge = MetricType::gauge, histogram = MetricType::histogram;
    static constexpr double nanoseconds = 1e-9;
    static double number(std::uint64_t value) noexcept { return static_cast<double>(value); }
    static std::string text_of(std::uint64_t value) { return std::to_string(value); }

    void begin(std::string_view name, std::string_view help, MetricType type) { sink_.begin({name, help, type}); }
    void sample(std::uint64_t value) { sink_.sample({}, number(value)); }
    void sample(Label label, double value) { sink_.sample({&label, 1}, value); }
    void sample(Label label, std::uint64_t value) { sample(label, number(value)); }
    template <class Histogram>
    void distribution(std::span<Label const> labels, Histogram const& values, double unit) {
        sink_.histogram(labels, {Histogram::bounds(), values.counts(), values.sum(), unit});
    }
    void single(std::string_view name, std::string_view help, MetricType type, std::uint64_t value) {
        begin(name, help, type);
        sample(value);
    }
    void durations(std::string_view name, std::string_view help, DurationHistogram const& values) {
        begin(name, help, histogram);
        distribution({}, values, nanoseconds);
    }
    template <std::size_t N>
    void by_name(std::string_view label, std::string_view const (&names)[N], std::uint64_t const (&values)[N]) {
        for (std::size_t i = 0; i < N; ++i) sample({label, names[i]}, values[i]);
    }

    void write_sessions(HubSnapshot const& hub, ShardSnapshot const& all);
    void write_messages(ShardSnapshot const& all);
    void write_queues(ShardSnapshot const& all);
    void write_loops(HubSnapshot const& hub, ShardSnapshot const& all);
    void write_memory(HubSnapshot const& hub, ShardSnapshot const& all);
    void write_backplane(BackplaneSnapshot const& brokers, ShardSnapshot const& all);
    void write_topics(std::vector<TopicSnapshot> const& topics);

    Sink& sink_;
};

template <MetricSink Sink>
void HubMetrics<Sink>::write_sessions(HubSnapshot const& hub, ShardSnapshot const& all) {
    begin("hubbub_build_info", "The version of the library, as a label.", gauge);
    std::string const version =
        text_of(HUBBUB_VERSION_MAJOR) + "." + text_of(HUBBUB_VERSION_MINOR) + "." + text_of(HUBBUB_VERSION_PATCH);
    sample({"version", version}, 1.0);
    begin("hubbub_sessions", "Sessions that are open.", gauge);
    for (std::size_t i = 0; i < hub.shards.size(); ++i) sample({"shard", text_of(i)}, hub.shards[i].sessions);
    single("hubbub_sessions_opened_total", "Sessions that have opened.", counter, all.opened);
    begin("hubbub_sessions_closed_total",
          "Sessions that have ended, by close code and who ended them; the code is 0 beyond 32 different ones.", counter);
    for (CloseCounts::Count const& each : all.measures.closes.counts()) {
        std::string const code = text_of(static_cast<std::uint16_t>(each.code));
        std::array const labels{Label{"code", code}, Label{"by", CloseInfo::by_names[static_cast<std::size_t>(each.by)]}};
        sink_.sample(labels, number(each.sessions));
    }
    single("hubbub_sessions_shed_total", "Sessions that were ended for want of memory.", counter, all.shed);
    single("hubbub_sessions_throttled_total", "Times that a session went beyond its rates.", counter, all.throttled);
    single("hubbub_handshakes", "Connections that are not sessions yet.", gauge, all.handshakes);
    durations("hubbub_handshake_duration_seconds", "From accept to session.", all.measures.handshakes);
    begin("hubbub_connections_refused_total", "Connections that were turned away.", counter);
    by_name("reason", refusal_names, all.refused);
    begin("hubbub_authentication_failures_total", "Connections that authentication turned away.", counter);
    by_name("reason", authentication_failure_names, all.unauthenticated);
    durations("hubbub_ping_round_trip_seconds", "From a ping of ours to its pong.", all.measures.round_trips);
    single("hubbub_draining", "1 from the beginning of a drain.", gauge, hub.is_draining() ? 1 : 0);
}

template <MetricSink Sink>
void HubMetrics<Sink>::write_messages(ShardSnapshot const& all) {
    single("hubbub_messages_received_total", "Messages from clients.", counter, all.received);
    single("hubbub_received_bytes_total", "Payload of messages from clients.", counter, all.received_bytes);
    single("hubbub_publications_total", "Publications that were given a place in a topic's order, whoever heard them.", counter,
           all.published);
    single("hubbub_deliveries_total", "Messages that were meant for a session, once for each.", counter,
           all.delivery.deliveries);
    single("hubbub_deliveries_written_total", "Of the deliveries: wholly taken by the connection.", counter,
           all.delivery.written);
    begin("hubbub_deliveries_dropped_total", "Of the deliveries: those that did not reach the session.", counter);
    by_name("reason", drop_reason_names, all.delivery.dropped);
    single("hubbub_deliveries_pending", "Of the deliveries: those that are queued.", gauge, all.pending);
    single("hubbub_written_bytes_total", "Bytes that connections took, with headers and control frames, before TLS.", counter,
           all.written_bytes);
    single("hubbub_writes_total", "Calls of write; deliveries for each of them tell how well messages are gathered.", counter,
           all.writes);
    single("hubbub_topics", "Topics that a shard knows, with those of users and labels: its own, and those with members there.",
           gauge, all.topics);
    single("hubbub_subscriptions", "Subscriptions to topics of the application.", gauge, all.subscriptions);
    single("hubbub_compressed_messages_total", "Messages that were compressed, once for a window and shard.", counter,
           all.compression.compressed);
    single("hubbub_inflated_messages_total", "Compressed messages from clients.", counter, all.compression.inflated);
}

template <MetricSink Sink>
void HubMetrics<Sink>::write_queues(ShardSnapshot const& all) {
    begin("hubbub_queue_bytes", "Bytes that are queued for a session, looked at once a second for each.", histogram);
    distribution({}, all.measures.queue_bytes, 1);
    durations("hubbub_queue_age_seconds", "Time since a queue that stands still has moved, looked at once a second for each.",
              all.measures.queue_ages);
    durations("hubbub_fan_out_duration_seconds", "What the fan-out of a turn's publications took a shard.",
              all.measures.fan_outs);
}

template <MetricSink Sink>
void HubMetrics<Sink>::write_loops(HubSnapshot const& hub, ShardSnapshot const& all) {
    begin("hubbub_loop_lag_seconds", "How late a shard's tick came, ten times a second.", histogram);
    for (std::size_t i = 0; i < hub.shards.size(); ++i) {
        std::string const shard = text_of(i);
        Label const label{"shard", shard};
        distribution({&label, 1}, hub.shards[i].measures.loop_lags, nanoseconds);
    }
    begin("hubbub_loop_busy_seconds_total", "Time that a shard's loop has worked: its rate is how much of a core it uses.",
          counter);
    for (std::size_t i = 0; i < hub.shards.size(); ++i)
        sample({"shard", text_of(i)}, number(hub.shards[i].measures.turns.sum()) * nanoseconds);
    durations("hubbub_turn_duration_seconds", "Turns of loops: while one lasts, nobody else of that shard is served.",
              all.measures.turns);
    single("hubbub_letters_total", "What shards have told each other: publications and interest.", counter, all.letters);
    begin("hubbub_callbacks_total", "Calls of user code on loops.", counter);
    for (std::size_t i = 0; i < callback_kinds; ++i) sample({"hook", callback_kind_names[i]}, all.measures.callbacks[i].calls);
    begin("hubbub_callback_duration_seconds_total", "What user code has taken of loops.", counter);
    for (std::size_t i = 0; i < callback_kinds; ++i)
        sample({"hook", callback_kind_names[i]},
               number(static_cast<std::uint64_t>(all.measures.callbacks[i].time.count())) * nanoseconds);
    begin("hubbub_callbacks_slow_total", "Calls of user code that took longer than HubOptions::slow_callback.", counter);
    for (std::size_t i = 0; i < callback_kinds; ++i) sample({"hook", callback_kind_names[i]}, all.measures.callbacks[i].slow);
    single("hubbub_callbacks_threw_total", "Calls of user code that threw; each ended its session.", counter,
           all.callbacks_threw);
}

template <MetricSink Sink>
void HubMetrics<Sink>::write_memory(HubSnapshot const& hub, ShardSnapshot const& all) {
    begin("hubbub_memory_bytes", "What clients make the hub keep.", gauge);
    sample({"part", "queues"}, all.memory_of_queues);
    sample({"part", "inbound"}, all.memory_of_inbound);
    sample({"part", "history"}, all.memory_of_history);
    sample({"part", "presence"}, all.memory_of_presence);
    sample({"part", "compression"}, all.compression.bytes);
    single("hubbub_memory_used_bytes", "What the budget counts, of all hubs that share it.", gauge, hub.memory_used);
    single("hubbub_memory_high_bytes", "Above it nobody new is let in.", gauge, hub.memory_high);
    single("hubbub_memory_limit_bytes", "Above it who keeps most is closed.", gauge, hub.memory_limit);
}

template <MetricSink Sink>
void HubMetrics<Sink>::write_backplane(BackplaneSnapshot const& brokers, ShardSnapshot const& all) {
    single("hubbub_backplane_continuous", "1 while each broker is there; always without one.", gauge,
           brokers.continuous ? 1 : 0);
    single("hubbub_backplane_brokers", "Brokers.", gauge, brokers.brokers);
    single("hubbub_backplane_brokers_ready", "Brokers that are there.", gauge, brokers.ready);
    single("hubbub_backplane_brokers_apart", "Brokers that have been away for longer than OutboxLimits::patience.", gauge,
           brokers.apart);
    single("hubbub_backplane_waiting_messages", "Publications that wait for a broker.", gauge, brokers.waiting_messages);
    single("hubbub_backplane_waiting_bytes", "Bytes of publications that wait for a broker.", gauge, brokers.waiting_bytes);
    single("hubbub_backplane_published_total", "Publications that a broker has acknowledged.", counter, brokers.published);
    single("hubbub_backplane_repeated_total", "Of those: sent again because an answer was lost.", counter, brokers.repeated);
    single("hubbub_backplane_failed_total", "Publications that a broker refused, or that found the outbox full.", counter,
           brokers.failed);
    single("hubbub_backplane_received_total", "Messages of other nodes.", counter, brokers.received);
    single("hubbub_backplane_doubles_total", "Messages that came twice and were heard once.", counter, brokers.doubles);
    single("hubbub_backplane_malformed_total", "What came and was no message of a node.", counter, brokers.malformed);
    single("hubbub_backplane_losses_total", "Times that a broker was lost: reconnects are as many.", counter, brokers.losses);
    single("hubbub_backplane_interruptions_total", "Subscriptions at brokers that were interrupted.", counter,
           brokers.interruptions);
    single("hubbub_continuity_lost_total",
           "Times that a shard told the members of a topic that they may have missed something.", counter, all.continuity_lost);
}

template <MetricSink Sink>
void HubMetrics<Sink>::write_topics(std::vector<TopicSnapshot> const& topics) {
    if (topics.empty()) return;
    begin("hubbub_topic_subscriptions", "Subscriptions to a topic that is listed.", gauge);
    for (TopicSnapshot const& each : topics) sample({"topic", each.name}, each.members);
    begin("hubbub_topic_publications_total", "Publications of a topic that is listed, since its order began.", counter);
    for (TopicSnapshot const& each : topics) sample({"topic", each.name}, each.published);
    begin("hubbub_topic_dropped_total", "Deliveries of a topic that is listed that did not reach their session.", counter);
    for (TopicSnapshot const& each : topics)
        for (std::size_t i = 0; i < drop_reasons; ++i) {
            std::array const labels{Label{"topic", each.name}, Label{"reason", drop_reason_names[i]}};
            sink_.sample(labels, number(each.dropped[i]));
        }
}

/// All metrics of a hub, into a sink.
template <MetricSink Sink>
void write_metrics(Sink& sink, HubSnapshot const& hub) {
    HubMetrics<Sink>(sink).write(hub);
}

}  // namespace hubbub::inline v0
