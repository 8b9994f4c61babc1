#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hubbub/backplane/backplane_host.hpp>
#include <hubbub/backplane/nats/nats_desk.hpp>
#include <hubbub/backplane/nats/nats_streams.hpp>
#include <hubbub/backplane/nats/nats_topic.hpp>

namespace hubbub::inline v0::detail {

/// Reads what streams keep: makes a consumer that lives for one part, and pulls.
///
/// Threading: the loop's. Lifetime: of the desk. Cost: three questions for each part.
class NatsReads {
   public:
    NatsReads(NatsDesk& desk, NatsStreams& streams) : desk_(desk), streams_(streams) {}

    void read(NatsTopic& topic, HistoryLimits const& limits, Position since) {
        std::uint64_t const number = ++last_;
        Read& it =
            reads_.emplace(number, Read{.topic = &topic, .limits = limits, .since = since, .begun = desk_.now()}).first->second;
        ++topic.stream.open;
        if (streams_.is_absent()) return desk_.later([this, number] { fail(number); });
        topic.stream.limits = limits;
        streams_.open(topic, it.limits, [this, number](NatsStreamState const* state) {
            if (!state) return fail(number);
            if (auto const found = reads_.find(number); found != reads_.end()) begin(number, found->second, *state);
        });
    }

    /// A message that was pulled: its subject is the one that it was published to, and only the reply tells whose it is.
    void on_pulled(NatsArrival& arrival) {
        auto const place = place_of(arrival.reply());
        auto const consumer = consumers_.find(place.consumer);
        auto const found = consumer == consumers_.end() ? reads_.end() : reads_.find(consumer->second);
        if (found == reads_.end()) return;
        Read& it = found->second;
        it.at_end = place.behind == 0 || place.offset >= it.state.last;
        it.messages.push_back({place.offset, place.time, std::move(arrival)});
        if (it.at_end || it.messages.size() >= it.batch) pulled(found->first, it);
    }
    /// There is no more to pull.
    void on_end(std::uint64_t number) {
        auto const found = reads_.find(number);
        if (found == reads_.end()) return;
        found->second.at_end = true;
        pulled(number, found->second);
    }

    void on_tick(TimePoint now) {
        for (auto const& [number, it] : reads_)
            if (now - it.begun > 2 * desk_.options.answer_limit) return desk_.give_up("JetStream does not answer");
    }
    void on_lost() {
        consumers_.clear();
        for (auto const& [number, it] : std::exchange(reads_, {}))
            desk_.host.on_history(it.topic->name, {.failed = true, .begins = {}});
    }

   private:
    struct Message {
        std::uint64_t offset, time;
        NatsArrival arrival;
    };
    struct Read {
        NatsTopic* topic;
        HistoryLimits limits;
        Position since;
        TimePoint begun;
        NatsStreamState state{};
        bool follows = false;    // `since` is a place in this stream
        std::uint64_t from = 0;  // the first offset that may be given
        std::string consumer{};
        std::uint64_t server_time = 0;  // of the server's clock, when the consumer was made
        TimePoint asked{};              // before that
        std::uint64_t batch = 0;
        bool is_measuring = false;  // only sizes are pulled
        bool at_end = false;
        std::vector<Message> messages{};
    };
    struct Place {
        std::string_view consumer;
        std::uint64_t offset, time, behind;
    };
    static constexpr std::uint64_t part = 64 * 1024, most_at_once = 1000, most_measured = 100'000;

    void begin(std::uint64_t number, Read& it, NatsStreamState const& state) {
        it.state = state;
        if (it.since.epoch == 0) it.since = {state.epoch, 0};
        NatsStream& stream = it.topic->stream;
        Position const newest{state.epoch, state.last};
        if (payload_of(it) > it.limits.bytes) {
            // JetStream keeps somewhat more. Sizes are told without what they are the size of.
            if (stream.measured != newest || stream.measured_bytes != it.limits.bytes) {
                it.is_measuring = true;
                return pull(number, it, state.first, std::clamp<std::uint64_t>(state.messages, 1, most_measured));
            }
            it.state.first = std::max(state.first, stream.fits_from);
        }
        begin_giving(number, it);
    }
    void begin_giving(std::uint64_t number, Read& it) {
        NatsStreamState const& state = it.state;
        it.is_measuring = false;
        it.follows = it.since.epoch == state.epoch && it.since.offset <= state.last;
        it.from = it.follows ? std::max(it.since.offset + 1, state.first) : state.first;
        it.at_end = it.from > state.last;
        if (it.at_end) return finish(number, it);
        auto const each = std::max<std::uint64_t>(state.bytes / std::max<std::uint64_t>(state.messages, 1), 1);
        pull(number, it, it.from, std::clamp<std::uint64_t>(part / each, 1, most_at_once));
    }
    /// At least what the bodies have together; JetStream counts subjects and headers too.
    static std::uint64_t payload_of(Read const& it) {
        std::uint64_t const overhead = it.state.messages * (it.topic->token.size() + 40);
        return it.state.bytes > overhead ? it.state.bytes - overhead : 0;
    }

    void pull(std::uint64_t number, Read& it, std::uint64_t from, std::uint64_t batch) {
        it.batch = batch;
        it.asked = desk_.now();
        it.at_end = false;
        auto const name = desk_.names.stream(it.topic->token);
        std::string body =
            R"({"stream_name":")" + name + R"(","config":{"deliver_policy":"by_start_sequence","opt_start_seq":)";
        body += std::to_string(from) + R"(,"ack_policy":"none","replay_policy":"instant","mem_storage":true,"num_replicas":1)";
        if (it.is_measuring) body += ",\"headers_only\":true";
        body += ",\"inactive_threshold\":30000000000}}";
        desk_.ask("$JS.API.CONSUMER.CREATE." + name, std::move(body), [this, number, name](NatsArrival const* arrival) {
            auto const found = reads_.find(number);
            if (found == reads_.end()) return;
            auto const why = nats_refusal(arrival);
            if (!why.empty()) {
                desk_.host.on_event("backplane_refused", why);
                return fail(number);
            }
            Read& made = found->second;
            NatsAnswer const answer(arrival->body());
            made.consumer = answer.find("name");
            made.server_time = answer.time("created");
            consumers_[made.consumer] = number;
            std::uint64_t const pending = answer.number("num_pending");
            made.at_end = pending == 0;
            made.batch = std::min(made.batch, pending);
            if (made.at_end) return pulled(number, made);
            // Without `no_wait`: a pull that asks for what was forgotten meanwhile would never be answered. It ends with the last message.
            desk_.send({.kind = NatsCommand::Kind::publish,
                        .subject = "$JS.API.CONSUMER.MSG.NEXT." + name + "." + made.consumer,
                        .body = "{\"batch\":" + std::to_string(made.batch) + ",\"expires\":500000000}",
                        .reply = desk_.inbox_of('n', number)});
        });
    }
    void pulled(std::uint64_t number, Read& it) {
        consumers_.erase(it.consumer);
        desk_.send({.kind = NatsCommand::Kind::publish,
                    .subject = "$JS.API.CONSUMER.DELETE." + desk_.names.stream(it.topic->token) + "." + it.consumer,
                    .reply = desk_.inbox_of('x', number)});
        if (!it.is_measuring) return finish(number, it);
        NatsStream& stream = it.topic->stream;
        std::uint64_t bytes = 0;
        stream.measured = {it.state.epoch, it.state.last};
        stream.measured_bytes = it.limits.bytes;
        stream.fits_from = it.state.last + 1;
        for (auto each = it.messages.rbegin(); each != it.messages.rend(); ++each) {
            bytes += NatsAnswer::number_in(each->arrival.header("Nats-Msg-Size"));
            if (bytes > it.limits.bytes) break;
            stream.fits_from = std::min(stream.fits_from, each->offset);
        }
        it.messages.clear();
        it.state.first = std::max(it.state.first, stream.fits_from);
        begin_giving(number, it);
    }

    void finish(std::uint64_t number, Read& finished) {
        Read it = std::move(finished);
        reads_.erase(number);
        --it.topic->stream.open;
        NatsStreamState const& state = it.state;
        BackplaneHistory history{.begins = {}};
        auto const elapsed = std::chrono::duration_cast<std::chrono::nanoseconds>(desk_.now() - it.asked);
        std::uint64_t const now = it.server_time + static_cast<std::uint64_t>(elapsed.count());
        std::uint64_t behind = it.from - 1;  // which is all that is kept
        bool is_whole = it.follows && (state.first <= it.since.offset + 1 || only_replaced(it));
        for (Message const& each : it.messages) {
            auto const age = std::chrono::milliseconds((now - std::min(now, each.time)) / 1'000'000);
            bool const is_old = age > it.limits.age;  // JetStream looks now and then
            bool const was_forgotten = history.entries.empty() && each.offset > behind + 1 && !it.limits.newest_per_key;
            if (is_old || was_forgotten) is_whole = false;
            if (is_old || history.entries.empty()) behind = is_old ? each.offset : each.offset - 1;
            if (!is_old) history.entries.push_back({each.offset, age, each.arrival.body()});
        }
        history.more = !it.at_end;
        std::uint64_t const last = it.messages.empty() ? 0 : it.messages.back().offset;
        history.reached = it.at_end ? std::max(state.last, last) : last;
        if (it.messages.empty() && it.from <= state.last) {  // forgotten just now
            is_whole = false;
            behind = state.last;
        }
        history.begins = is_whole ? it.since : Position{state.epoch, behind};
        desk_.host.on_history(it.topic->name, history);
    }
    /// Whether what is missing before the first was all replaced by its key. JetStream does not tell; so yes only where no limit can have
    /// taken anything: the stream is younger than the age, holds fewer messages than it may, which age alone makes fewer, and half the bytes.
    static bool only_replaced(Read const& it) {
        using namespace std::chrono;
        if (!it.limits.newest_per_key || it.server_time == 0) return false;
        auto const lived = nanoseconds(it.server_time - std::min(it.server_time, it.state.created));
        return lived < it.limits.age && it.state.messages < it.limits.messages && payload_of(it) <= it.limits.bytes / 2;
    }
    void fail(std::uint64_t number) {
        auto const found = reads_.find(number);
        if (found == reads_.end()) return;
        NatsTopic& topic = *found->second.topic;
        reads_.erase(found);
        if (topic.stream.open > 0) --topic.stream.open;
        desk_.host.on_history(topic.name, {.failed = true, .begins = {}});
    }

    /// From the subject of an answer: $JS.ACK.STREAM.CONSUMER.DELIVERED.OFFSET.NUMBER.TIME.BEHIND, perhaps with more before and behind it.
    static Place place_of(std::string_view reply) {
        if (!reply.starts_with("$JS.ACK.")) return {};
        std::vector<std::string_view> parts;
        while (true) {
            auto const dot = reply.find('.');
            parts.push_back(reply.substr(0, dot));
            if (dot == std::string_view::npos) break;
            reply.remove_prefix(dot + 1);
        }
        std::size_t const more = parts.size() >= 11 ? 2 : 0;  // the domain and the account
        if (parts.size() < 9 + more) return {};
        return {parts[3 + more], NatsAnswer::number_in(parts[5 + more]), NatsAnswer::number_in(parts[7 + more]),
                NatsAnswer::number_in(parts[8 + more])};
    }

    NatsDesk& desk_;
    NatsStreams& streams_;
    std::uint64_t last_ = 0;
    std::unordered_map<std::uint64_t, Read> reads_;
    std::unordered_map<std::string, std::uint64_t, NatsTokenHash, std::equal_to<>> consumers_;  // and the read of each
};

}  // namespace hubbub::inline v0::detail
