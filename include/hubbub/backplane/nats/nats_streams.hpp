#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hubbub/backplane/backplane_host.hpp>
#include <hubbub/backplane/nats/nats_desk.hpp>
#include <hubbub/backplane/nats/nats_stream_config.hpp>
#include <hubbub/backplane/nats/nats_topic.hpp>
#include <hubbub/core/small_random.hpp>
#include <hubbub/core/unique_function.hpp>

namespace hubbub::inline v0::detail {

/// A stream as JetStream described it.
struct NatsStreamState {
    std::uint64_t epoch, created, first, last, messages, bytes;
};

/// Publications with history, and what JetStream publishes of them.
///
/// Threading: the loop's. Lifetime: of the desk. Cost: a publication is one message and its answer; a topic's first one waits for an
/// answer of JetStream's API.
class NatsStreams {
   public:
    using Opened = UniqueFunction<void(NatsStreamState const*)>;

    NatsStreams(NatsDesk& desk, NatsTopics& topics) : desk_(desk), topics_(topics) {}

    bool is_absent() const { return presence_ == Presence::absent; }

    /// Asks whether the server has JetStream; until then publications wait.
    void on_connected() {
        presence_ = Presence::asked;
        presence_asked_ = desk_.now();
        ask_presence();
    }
    /// In each turn of the clock.
    void on_tick(TimePoint now) {
        for (auto& again : std::exchange(again_, {})) again();
        if (std::exchange(has_early_, false)) {
            for (auto& [token, topic] : topics_) {
                if (topic.stream.early.empty()) continue;
                if (now - topic.stream.early_since > early_limit)
                    deliver_early(topic);
                else
                    has_early_ = true;
            }
        }
        if (presence_ != Presence::there) ask_presence();
        while (!sent_.empty() && !open_.contains(sent_.front().second)) sent_.pop_front();
        if (!sent_.empty() && now - sent_.front().first > desk_.options.answer_limit)
            desk_.give_up("JetStream does not answer");
    }
    /// Forgets what is open, after telling of each serial.
    template <class F>
    void on_lost(F&& tell) {
        presence_ = Presence::asked;
        asking_ = deleting_ = false;
        sent_.clear();
        again_.clear();
        auto const open = std::exchange(open_, {});
        std::vector<std::uint64_t> serials;
        for (auto const& each : open) serials.push_back(each.first);
        for (auto& [token, topic] : topics_) {
            NatsStream& stream = topic.stream;
            for (NatsPublication const& each : std::exchange(stream.waiting, {})) serials.push_back(each.serial);
            for (auto const& [serial, offset] : std::exchange(stream.acks, {})) serials.push_back(serial);
            stream.held.clear();
            stream.early.clear();
            stream.asks_epoch = false;
            stream.open = 0;
            stream.state = NatsStream::State::unknown;
            if (stream.epoch) stream.last_epoch = stream.epoch;
            stream.epoch = stream.heard = stream.acknowledged = stream.base = 0;
        }
        std::sort(serials.begin(), serials.end());
        for (std::uint64_t const serial : serials) tell(serial);
    }

    void publish(NatsTopic& topic, BackplanePublication const& publication) {
        if (is_absent() || desk_.is_too_large(publication.body.size())) return desk_.refuse(publication.serial, !is_absent());
        NatsStream& stream = topic.stream;
        if (stream.limits != *publication.history) {
            stream.limits = *publication.history;
            if (stream.state == NatsStream::State::there) stream.state = NatsStream::State::unknown;
        }
        stream.waiting.push_back({publication.serial, std::string(publication.body), publication.key, publication.id});
        pump(topic);
    }

    /// The answer to a publication.
    void on_ack(std::uint64_t serial, NatsArrival const& arrival) {
        auto const found = open_.find(serial);
        if (found == open_.end()) return;
        NatsStream& stream = found->second->stream;
        NatsAnswer const answer(arrival.body());
        auto const why = nats_refusal(&arrival);
        std::uint64_t const offset = answer.number("seq");
        // The stream has gone: it is made again with the connection, and what is open keeps its order.
        if (arrival.header("Status") == "503") return desk_.give_up("a stream has gone");
        NatsTopic& topic = *found->second;
        if (why.find("no such file") != std::string_view::npos) return begin_anew(topic);
        --stream.open;
        open_.erase(found);
        if (!why.empty() || offset == 0) {
            desk_.host.on_event("backplane_refused", why);
            return desk_.host.on_published(serial, BackplaneOutcome::refused, {});
        }
        if (answer.is_true("duplicate"))
            return desk_.host.on_published(serial, BackplaneOutcome::repeated, {stream.epoch, offset});
        // Behind what was acknowledged before, or it is in another stream.
        if (offset <= stream.acknowledged) forget(topic);
        stream.acknowledged = offset;
        if (stream.epoch == 0) {
            stream.acks.emplace_back(serial, offset);
            return ask_epoch(topic);
        }
        stream.seen = std::max(stream.seen, offset);
        desk_.host.on_published(serial, BackplaneOutcome::done, {stream.epoch, offset});
    }
    /// JetStream tells that a stream was deleted.
    void on_deleted(std::string_view name) {
        if (!name.starts_with(desk_.options.prefix)) return;
        for (auto& [token, topic] : topics_) {
            if (topic.stream.last_epoch == 0 || desk_.names.stream(token) != name) continue;
            forget(topic);
            if (topic.stream.state == NatsStream::State::there) topic.stream.state = NatsStream::State::unknown;
            if (topic.told) desk_.host.on_subscribed(std::string(topic.name));
            return;
        }
    }

    /// What JetStream has published of a topic.
    void on_live(NatsTopic& topic, NatsArrival& arrival) {
        NatsStream& stream = topic.stream;
        std::uint64_t const offset = NatsAnswer::number_in(arrival.header("Nats-Sequence"));
        if (offset == 0) return;
        if (stream.epoch != 0 && offset <= stream.heard) forget(topic);  // it is in another stream
        if (stream.epoch == 0 || !stream.held.empty()) {
            stream.held.push_back(std::move(arrival));
            return ask_epoch(topic);
        }
        std::uint64_t const next = stream.heard ? stream.heard + 1 : stream.base ? stream.base : offset;
        if (offset > next) {
            // A server publishes at once what several connections have stored at once: not always in the order of the offsets.
            if (stream.early.empty()) stream.early_since = desk_.now();
            stream.early.insert_or_assign(offset, std::move(arrival));
            has_early_ = true;
            if (stream.early.size() > most_early) deliver_early(topic);
            return;
        }
        deliver(topic, arrival, offset);
        while (!stream.early.empty() && stream.early.begin()->first == stream.heard + 1) {
            auto const each = stream.early.extract(stream.early.begin());
            deliver(topic, each.mapped(), each.key());
        }
    }
    /// What they wait for does not come any more.
    void deliver_early(NatsTopic& topic) {
        for (auto const& [offset, arrival] : std::exchange(topic.stream.early, {})) deliver(topic, arrival, offset);
    }

    /// Makes the stream, or makes it as it shall be, and says what is in it.
    void open(NatsTopic& topic, HistoryLimits const& limits, Opened then) {
        ++topic.stream.open;
        create({&topic, nats_stream_config(desk_.options, desk_.names, topic.token, limits), std::move(then), desk_.now()});
    }

   private:
    enum class Presence : std::uint8_t { asked, there, absent };
    /// What `open` does, until it is done.
    struct Opening {
        NatsTopic* topic;
        std::string body;
        Opened then;
        TimePoint begun;
        int tries = most_tries;
        std::uint64_t seen = 0;  ///< the newest offset that was known when it was asked; what comes meanwhile may be newer
    };

    /// Two nodes that make a stream at the same time may be told that another has its subjects, or a time that is not set yet.
    static bool is_half_made(NatsArrival const* arrival) {
        if (!arrival) return false;
        NatsAnswer const answer(arrival->body());
        return nats_error(*arrival) == other_subjects || (answer.has("created") && answer.time("created") == 0);
    }
    void create(Opening opening) {
        NatsTopic const& topic = *opening.topic;
        std::string body = opening.body;
        opening.seen = topic.stream.seen;
        ask_stream(topic, "CREATE", std::move(body), [this, opening = std::move(opening)](NatsArrival const* arrival) mutable {
            if (is_half_made(arrival) && --opening.tries > 0) return create(std::move(opening));
            if (!arrival || nats_error(*arrival) != other_configuration) return opened(std::move(opening), arrival);
            NatsTopic const& whose = *opening.topic;
            std::string same = opening.body;
            ask_stream(
                whose, "UPDATE", std::move(same),
                [this, opening = std::move(opening)](NatsArrival const* other) mutable { opened(std::move(opening), other); });
        });
    }
    static constexpr std::uint64_t temporarily_unavailable = 10008, other_configuration = 10058, other_subjects = 10065;
    static constexpr int most_tries = 100;
    static constexpr std::size_t most_early = 1000;
    static constexpr std::chrono::milliseconds early_limit{200};

    void ask_presence() {
        if (std::exchange(asking_, true)) return;
        desk_.ask("$JS.API.INFO", {}, [this](NatsArrival const* arrival) {
            asking_ = false;
            // Servers that elect a leader have nobody who answers: what waits goes on to wait.
            bool const may_come = !arrival || nats_error(*arrival) == temporarily_unavailable;
            if (may_come && presence_ == Presence::asked && desk_.now() - presence_asked_ < 2 * desk_.options.answer_limit)
                return;
            auto const why = nats_refusal(arrival);
            auto const before = std::exchange(presence_, why.empty() ? Presence::there : Presence::absent);
            if (presence_ == Presence::absent) {
                if (before != Presence::absent)
                    desk_.host.on_event("backplane_without_history", "the server has no JetStream: " + std::string(why));
                refuse_all();
            } else if (before == Presence::asked) {
                for (auto& [token, topic] : topics_) pump(topic);
            } else {
                desk_.give_up("JetStream is there now");  // all is begun anew, with histories
            }
        });
    }
    void refuse_all() {
        std::vector<std::uint64_t> serials;
        for (auto& [token, topic] : topics_)
            for (NatsPublication const& each : std::exchange(topic.stream.waiting, {})) serials.push_back(each.serial);
        for (std::uint64_t const serial : serials) desk_.host.on_published(serial, BackplaneOutcome::refused, {});
    }

    /// Sends what waits, or sees to it that it can be sent.
    void pump(NatsTopic& topic) {
        NatsStream& stream = topic.stream;
        if (presence_ != Presence::there || stream.waiting.empty()) return;
        if (stream.state == NatsStream::State::unknown) {
            stream.state = NatsStream::State::asked;
            open(topic, stream.limits, [this, &topic](NatsStreamState const* state) {
                NatsStream& opened = topic.stream;
                opened.state = state ? NatsStream::State::there : NatsStream::State::unknown;
                if (state) return pump(topic);
                for (NatsPublication const& each : std::exchange(opened.waiting, {}))
                    desk_.host.on_published(each.serial, BackplaneOutcome::refused, {});
            });
        } else if (stream.state == NatsStream::State::there) {
            for (NatsPublication& each : std::exchange(stream.waiting, {})) send(topic, each);
        }
    }

    void send(NatsTopic& topic, NatsPublication& publication) {
        auto const serial = NatsNames::hex(publication.serial);
        std::string subject = desk_.names.stored(topic.token);
        if (!topic.stream.limits.newest_per_key)
            subject += 'm';
        else if (publication.key != 0)
            subject += 'k' + NatsNames::hex(publication.key);
        else
            subject += 'n' + desk_.node + '-' + serial;
        bool const has_id = publication.id != 0;
        desk_.send({.kind = NatsCommand::Kind::publish,
                    .subject = std::move(subject),
                    .body = std::move(publication.body),
                    .reply = desk_.inbox_of('p', publication.serial),
                    .id = has_id ? 'i' + NatsNames::hex(publication.id) : desk_.node + '-' + serial});
        open_.emplace(publication.serial, &topic);
        sent_.emplace_back(desk_.now(), publication.serial);
        ++topic.stream.open;
    }

    void ask_stream(NatsTopic const& topic, std::string_view what, std::string body, NatsDesk::Then then) {
        std::string subject = "$JS.API.STREAM.";
        subject.append(what).append(".").append(desk_.names.stream(topic.token));
        desk_.ask(std::move(subject), std::move(body), std::move(then));
    }

    void opened(Opening opening, NatsArrival const* arrival) {
        NatsTopic& topic = *opening.topic;
        NatsStream& stream = topic.stream;
        auto const state = read(topic, arrival);
        if (state && has_lost(stream, *state, opening.seen)) {
            // One who leads it since a moment may not have taken up yet what the others have told him.
            if (desk_.now() - opening.begun < desk_.options.answer_limit) {
                again_.emplace_back([this, opening = std::move(opening)]() mutable { create(std::move(opening)); });
                return;
            }
            // So that the offsets are not given twice, it is another stream from here on.
            desk_.host.on_event("backplane_history_lost", "a stream has lost what it had: it begins anew");
            return ask_stream(topic, "DELETE", {}, [this, opening = std::move(opening)](NatsArrival const*) mutable {
                opening.topic->stream.seen = 0;
                opening.begun = desk_.now();
                create(std::move(opening));
            });
        }
        --stream.open;
        if (state) {
            learn(topic, *state);
            return opening.then(&*state);
        }
        if (!arrival) return desk_.give_up("JetStream does not answer");
        desk_.host.on_event("backplane_refused", nats_refusal(arrival));
        opening.then(nullptr);
    }
    /// It has less than this node has seen of it.
    static bool has_lost(NatsStream const& stream, NatsStreamState const& state, std::uint64_t seen) {
        return state.epoch == (stream.epoch ? stream.epoch : stream.last_epoch) && state.last < std::min(seen, stream.seen);
    }

    std::optional<NatsStreamState> read(NatsTopic const& topic, NatsArrival const* arrival) const {
        if (!nats_refusal(arrival).empty()) return std::nullopt;
        NatsAnswer const answer(arrival->body());
        // A long name is told by its hash: see that it is the one.
        if (answer.find("config.subjects").find('"' + desk_.names.stored(topic.token)) == std::string_view::npos)
            return std::nullopt;
        std::uint64_t const created = answer.time("created");
        if (created == 0) return std::nullopt;
        std::uint64_t epoch = created;
        bool const may_lose = desk_.options.storage == NatsStorage::file && desk_.options.new_epoch_after_restart;
        if (may_lose && !answer.has("cluster"))
            for (char const c : desk_.server) epoch = SmallRandom(epoch ^ static_cast<unsigned char>(c))();
        NatsStreamState state{.epoch = std::max<std::uint64_t>(epoch, 1),
                              .created = created,
                              .first = answer.number("state.first_seq"),
                              .last = answer.number("state.last_seq"),
                              .messages = answer.number("state.messages"),
                              .bytes = answer.number("state.bytes")};
        if (state.messages == 0) state.first = state.last + 1;
        return state;
    }

    void learn(NatsTopic& topic, NatsStreamState const& state) {
        NatsStream& stream = topic.stream;
        std::uint64_t const epoch = state.epoch;
        if (stream.epoch == 0) stream.base = state.last + 1;
        if (epoch != (stream.epoch ? stream.epoch : stream.last_epoch)) stream.seen = stream.heard = stream.acknowledged = 0;
        stream.epoch = stream.last_epoch = epoch;
    }

    /// Servers that are told by two nodes at once to make a stream may take away its files, and then take nothing for it any more. What is
    /// open keeps its order.
    void begin_anew(NatsTopic const& topic) {
        if (std::exchange(deleting_, true)) return;
        desk_.host.on_event("backplane_history_lost", "a stream has no files: it begins anew");
        ask_stream(topic, "DELETE", {}, [this](NatsArrival const*) { desk_.give_up("a stream had no files"); });
    }
    /// It may be another stream from here on.
    void forget(NatsTopic& topic) {
        NatsStream& stream = topic.stream;
        stream.epoch = stream.heard = stream.seen = stream.acknowledged = stream.base = 0;
        stream.early.clear();
    }
    /// For what waits until the epoch is known.
    void ask_epoch(NatsTopic& topic, int tries = most_tries) {
        if (std::exchange(topic.stream.asks_epoch, true)) return;
        ++topic.stream.open;
        ask_stream(topic, "INFO", {}, [this, &topic, tries](NatsArrival const* arrival) {
            NatsStream& stream = topic.stream;
            --stream.open;
            stream.asks_epoch = false;
            if (is_half_made(arrival) && tries > 1) return ask_epoch(topic, tries - 1);
            auto const state = read(topic, arrival);
            if (state) learn(topic, *state);
            for (auto const& [serial, offset] : std::exchange(stream.acks, {}))
                desk_.host.on_published(serial, BackplaneOutcome::done, {stream.epoch, stream.epoch ? offset : 0});
            auto held = std::exchange(stream.held, {});
            auto const offset_of = [](NatsArrival const& each) { return NatsAnswer::number_in(each.header("Nats-Sequence")); };
            std::sort(held.begin(), held.end(), [&](auto const& a, auto const& b) { return offset_of(a) < offset_of(b); });
            if (state && !held.empty()) stream.base = std::min(stream.base, offset_of(held.front()));
            if (state)
                for (NatsArrival& each : held) on_live(topic, each);
            else if (topic.subscribed)
                desk_.host.on_subscribed(std::string(topic.name));  // what was held is lost
        });
    }
    void deliver(NatsTopic& topic, NatsArrival const& arrival, std::uint64_t offset) {
        NatsStream& stream = topic.stream;
        stream.heard = offset;
        stream.seen = std::max(stream.seen, offset);
        if (topic.subscribed) desk_.host.on_message(topic.name, arrival.body(), {stream.epoch, offset});
    }

    NatsDesk& desk_;
    NatsTopics& topics_;
    Presence presence_ = Presence::asked;
    TimePoint presence_asked_{};
    bool asking_ = false, deleting_ = false;
    std::vector<UniqueFunction<void()>> again_;             // with the next tick
    bool has_early_ = false;                                // perhaps
    std::unordered_map<std::uint64_t, NatsTopic*> open_;    // by serial
    std::deque<std::pair<TimePoint, std::uint64_t>> sent_;  // those of open_, and some that are answered
};

}  // namespace hubbub::inline v0::detail
