#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <hubbub/core/session_name.hpp>
#include <hubbub/hub/hub_snapshot.hpp>
#include <hubbub/operations/cause.hpp>
#include <hubbub/operations/process_facts.hpp>

namespace hubbub::inline v0 {

/// Why is it slow? Ranks what was measured between two snapshots of a hub, some seconds apart; the newer one with CollectOptions::sessions
/// and busiest, so that it can name who.
///
///     callbacks       user code keeps a loop: which hook
///     slow_consumers  clients do not read: which
///     hot_topic       one topic makes most of the deliveries: which
///     broker          a broker is away, or does not keep up
///     memory          the budget is used up
///     send_buffers    many connections take only a part of what they are given
///     descriptors     the process has no more
///     loops           the loops are busy with the hub's own work
///     starved         loops are late and not busy: the process does not get the processor
///
/// Cost: a walk over both snapshots.
class SlowCauses {
   public:
    SlowCauses(HubSnapshot const& before, HubSnapshot const& now, ProcessFacts facts = {})
        : before_(before), now_(now), facts_(facts), seconds_(now.seconds_since(before)) {
        if (before.shards.size() == now.shards.size()) look();
        std::sort(found_.begin(), found_.end(), [](Cause const& one, Cause const& other) { return one.weight > other.weight; });
    }

    /// What was found, the heaviest first; nothing is a good answer.
    std::vector<Cause> const& ranked() const noexcept { return found_; }

   private:
    void look();
    void look_at_callbacks();
    void look_at_consumers(ShardSnapshot const& was, ShardSnapshot const& is);
    void look_at_topics(ShardSnapshot const& was, ShardSnapshot const& is);
    void look_at_broker();
    void look_at_memory(ShardSnapshot const& was, ShardSnapshot const& is);
    void look_at_descriptors();
    void look_at_loops();

    void add(std::string name, double weight, std::string evidence, std::string remedy) {
        if (weight > 0.05) found_.push_back({std::move(name), std::min(weight, 1.0), std::move(evidence), std::move(remedy)});
    }
    double busy(std::size_t shard) const noexcept { return now_.busy_since(before_, shard); }
    double busiest() const {
        double most = 0;
        for (std::size_t i = 0; i < now_.shards.size(); ++i) most = std::max(most, busy(i));
        return most;
    }
    static std::string percent(double part) { return std::to_string(std::lround(part * 100)) + " %"; }
    static std::string per_second(double rate) { return std::to_string(std::llround(rate)) + "/s"; }
    static std::string milliseconds(std::chrono::nanoseconds time) {
        return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(time).count()) + " ms";
    }
    std::string name_of(SessionSnapshot const& session) const {
        return "session " + session_name(now_.node, session.id) + (session.user.empty() ? "" : " of " + session.user);
    }

    HubSnapshot const& before_;
    HubSnapshot const& now_;
    ProcessFacts facts_;
    double seconds_;
    std::vector<Cause> found_;
};

inline void SlowCauses::look() {
    ShardSnapshot const was = before_.total(), is = now_.total();
    look_at_callbacks();
    look_at_consumers(was, is);
    look_at_topics(was, is);
    look_at_broker();
    look_at_memory(was, is);
    look_at_descriptors();
    look_at_loops();
}

/// A hook weighs what it takes of one loop; one call that takes long makes all others of the shard wait, however rare it is.
inline void SlowCauses::look_at_callbacks() {
    double worst = 0;
    std::size_t shard = 0, hook = 0;
    CallbackCounts counts;
    for (std::size_t i = 0; i < now_.shards.size(); ++i)
        for (std::size_t each = 0; each < callback_kinds; ++each) {
            auto const between = now_.shards[i].measures.callbacks[each] - before_.shards[i].measures.callbacks[each];
            double const share = std::chrono::duration<double>(between.time).count() / seconds_;
            double const weight = between.slow ? 0.8 + 0.2 * std::min(share, 1.0) : share > 0.3 ? share * 0.9 : 0;
            if (weight <= worst) continue;
            worst = weight;
            shard = i;
            hook = each;
            counts = between;
        }
    if (worst == 0) return;
    double const share = std::chrono::duration<double>(counts.time).count() / seconds_;
    add("callbacks", worst,
        std::string(callback_kind_names[hook]) + " takes " + percent(share) + " of loop " + std::to_string(shard) + ": " +
            std::to_string(counts.calls) + " calls of " + milliseconds(counts.time / static_cast<std::int64_t>(counts.calls)) +
            " on average, " + std::to_string(counts.slow) + " of them slow",
        "let it answer later from another thread (session.handle(), verdicts); HubOptions::slow_callback sets what counts as "
        "slow");
}

inline void SlowCauses::look_at_consumers(ShardSnapshot const& was, ShardSnapshot const& is) {
    auto const ages = is.measures.queue_ages - was.measures.queue_ages;
    std::uint64_t young = 0;  // for less than a second: the network is full, but it goes on
    for (std::size_t i = 0; i < DurationHistogram::size && duration_bounds[i] < 1'000'000'000; ++i) young += ages.counts()[i];
    double const stalled = static_cast<double>(ages.count() - young) / seconds_;
    auto const dropped = is.delivery.dropped[static_cast<std::size_t>(DropReason::slow_consumer)] -
                         was.delivery.dropped[static_cast<std::size_t>(DropReason::slow_consumer)];
    if (stalled >= 0.5 || dropped) {
        auto const worst = now_.worst();
        std::string who;
        if (!worst.empty() && worst.front().queued_bytes)
            who = "; the worst is " + name_of(worst.front()) + " with " + std::to_string(worst.front().queued_bytes) +
                  " bytes queued, which stands still for " + milliseconds(worst.front().stalled);
        double const sessions = static_cast<double>(std::max<std::size_t>(is.sessions, 1));
        add("slow_consumers", 0.45 + 0.3 * std::min(1.0, stalled / sessions * 4) + (dropped ? 0.1 : 0),
            std::to_string(static_cast<std::uint64_t>(std::ceil(stalled))) + " of " + std::to_string(is.sessions) +
                " sessions do not read, " + std::to_string(is.pending) + " messages wait, " + std::to_string(dropped) +
                " were dropped for it" + who,
            "Policy::Overflow and HubOptions::queue say what happens to them; HubOptions::write_limit ends them sooner");
    }
    double const part = static_cast<double>(young) / seconds_ / static_cast<double>(std::max<std::size_t>(is.sessions, 1));
    if (part > 0.2)
        add("send_buffers", std::min(0.6, part),
            percent(part) + " of the sessions wait for room in the send buffer of their socket, each for less than a second",
            "larger buffers (net.ipv4.tcp_wmem), more bandwidth, or less to send: compression, conflation by key");
}

inline void SlowCauses::look_at_topics(ShardSnapshot const& was, ShardSnapshot const& is) {
    auto const deliveries = static_cast<double>(is.delivery.deliveries - was.delivery.deliveries);
    if (deliveries / seconds_ < 1000) return;
    auto const earlier = before_.topics();
    TopicSnapshot hottest;
    double most = 0, rate = 0;
    for (TopicSnapshot const& topic : now_.topics()) {
        auto const found =
            std::find_if(earlier.begin(), earlier.end(), [&](auto const& each) { return each.name == topic.name; });
        std::uint64_t const before = found == earlier.end() ? 0 : found->published;
        double const published = topic.published > before ? static_cast<double>(topic.published - before) : 0;
        double const made = published * static_cast<double>(topic.members);
        if (made <= most) continue;
        most = made;
        rate = published / seconds_;
        hottest = topic;
    }
    double const share = std::min(1.0, most / deliveries);
    if (share > 0.5)
        add("hot_topic", share * (0.35 + 0.4 * std::min(1.0, busiest())),
            "topic " + hottest.name + " makes " + percent(share) + " of all deliveries: " + per_second(rate) + " to " +
                std::to_string(hottest.members) + " members; the busiest loop works " + percent(busiest()) + " of the time",
            "publish less often, keep only the newest of each key (Policy::Overflow = LatestPerKey), or share its members out "
            "over more "
            "loops (ServerOptions::threads)");
}

inline void SlowCauses::look_at_broker() {
    BackplaneSnapshot const &was = before_.backplane, &is = now_.backplane;
    std::string const waiting =
        std::to_string(is.waiting_messages) + " publications (" + std::to_string(is.waiting_bytes) + " bytes) wait for it";
    if (!is.continuous)
        return add("broker", 0.97,
                   std::to_string(is.brokers - is.ready) + " of " + std::to_string(is.brokers) +
                       " brokers cannot be reached; " + waiting,
                   "look at the broker; OutboxLimits::patience and TopicOptions::when_apart say what happens meanwhile");
    bool const is_stuck = is.waiting_messages && is.published == was.published && was.waiting_messages;
    if (is_stuck || is.losses != was.losses)
        return add("broker", 0.95, is_stuck ? "it answers nothing; " + waiting : "it was lost and found again; " + waiting,
                   "look at the broker: its processor, its memory, what else it has to do");
    if (is.waiting_messages > 1000)
        add("broker", 0.5, waiting, "a faster broker, or several (their topics are shared out by name)");
}

inline void SlowCauses::look_at_memory(ShardSnapshot const& was, ShardSnapshot const& is) {
    auto const refused = is.refused[static_cast<std::size_t>(ConnectionRefusal::memory)] -
                         was.refused[static_cast<std::size_t>(ConnectionRefusal::memory)];
    auto const shed = is.shed - was.shed;
    if (now_.memory_used <= now_.memory_high && !refused && !shed) return;
    std::pair<std::size_t, std::string> largest{is.memory_of_queues, "queues"};
    largest = std::max(largest, {is.memory_of_inbound, "messages that are not whole"});
    largest = std::max(largest, {is.memory_of_history, "histories"});
    largest = std::max(largest, {is.compression.bytes, "compression"});
    add("memory", shed || refused ? 0.98 : 0.9,
        std::to_string(now_.memory_used) + " of " + std::to_string(now_.memory_limit) + " bytes are used, most by " +
            largest.second + " (" + std::to_string(largest.first) + "); " + std::to_string(refused) +
            " connections were refused and " + std::to_string(shed) + " sessions ended for it",
        "a larger HubOptions::memory, or smaller HubOptions::queue, histories and messages");
}

inline void SlowCauses::look_at_descriptors() {
    if (!facts_.descriptor_limit || facts_.descriptors * 20 < facts_.descriptor_limit * 19) return;
    add("descriptors", 0.96,
        std::to_string(facts_.descriptors) + " of " + std::to_string(facts_.descriptor_limit) +
            " descriptors are open: who comes now has to wait",
        "a higher limit (ulimit -n, LimitNOFILE= of systemd), or fewer connections: Policy::Limits");
}

/// What is left when no callback explains it.
inline void SlowCauses::look_at_loops() {
    for (std::size_t i = 0; i < now_.shards.size(); ++i) {
        auto const lags = now_.shards[i].measures.loop_lags - before_.shards[i].measures.loop_lags;
        auto const late = std::chrono::nanoseconds(static_cast<std::int64_t>(lags.quantile(0.9)));
        if (double const part = busy(i); part > 0.85)
            add("loops", part * 0.4, "loop " + std::to_string(i) + " works " + percent(part) + " of the time",
                "more loops (ServerOptions::threads) where there are cores, or another machine and a broker");
        else if (late >= std::chrono::milliseconds(25) && part < 0.5)
            add("starved", 0.3,
                "loop " + std::to_string(i) + " is late by " + milliseconds(late) + " although it works only " + percent(part) +
                    " of the time",
                "something else has the processor: other programs, a quota of the container (cpu.max), too few cores");
    }
}

}  // namespace hubbub::inline v0
