#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hubbub/backplane/backplane.hpp>
#include <hubbub/backplane/backplane_host.hpp>
#include <hubbub/backplane/nats/nats_desk.hpp>
#include <hubbub/backplane/nats/nats_inbox.hpp>
#include <hubbub/backplane/nats/nats_options.hpp>
#include <hubbub/backplane/nats/nats_reads.hpp>
#include <hubbub/backplane/nats/nats_streams.hpp>
#include <hubbub/backplane/nats/nats_thread.hpp>
#include <hubbub/backplane/nats/nats_topic.hpp>
#include <hubbub/backplane/nats/nats_worker.hpp>
#include <hubbub/core/entropy.hpp>

namespace hubbub::inline v0 {

/// Nodes that are one hub by a NATS server or a cluster of them. Topics without history are subjects; the history of a topic is a stream
/// of JetStream, if the server has it (`nats-server -js`), which publishes to the same subject what it has stored.
///
/// What was sent is known to be with the server when a message to this node itself, sent behind it, has come back. The same message tells
/// that the subscriptions live.
///
/// Threading: the loop's of its NatsThread. Errors: a server that is not there, refuses the password or does not answer is told by
/// events and tried again, for ever. Events: backplane_unreachable, backplane_without_history, backplane_refused,
/// backplane_history_lost, backplane_overrun.
/// Cost: a message is copied once on its way out, and not at all on its way in.
class NatsBackplane final : private detail::NatsDesk, private detail::NatsReceiver {
   public:
    using Options = NatsOptions;
    using Thread = NatsThread;

    static std::unique_ptr<Thread> make_thread(Options const&) { return std::make_unique<Thread>(); }
    static std::size_t brokers(Options const&) { return 1; }  // the servers of a cluster are one

    NatsBackplane(Options const& given, std::size_t /*broker*/, std::uint64_t node_number, Thread& thread,
                  BackplaneHost& the_host)
        : NatsDesk(given, node_number, the_host),
          thread_(thread),
          timer_(thread.context().get_executor()),
          inbox_(std::make_shared<detail::NatsInbox>(thread.loop(), static_cast<detail::NatsReceiver&>(*this),
                                                     given.most_waiting)),
          worker_(std::make_shared<detail::NatsWorker>(given, inbox_)) {}
    ~NatsBackplane() {
        worker_->stop();
        inbox_->close();
    }
    NatsBackplane(NatsBackplane const&) = delete;
    NatsBackplane& operator=(NatsBackplane const&) = delete;

    void start() {
        thread_.run(worker_);
        wait_for_tick();
    }

    void subscribe(std::string_view name) {
        Topic& topic = topic_of(name);
        if (topic.subscribed) return;
        topic.subscribed = true;
        subscribe_at_server(topic);
    }
    void unsubscribe(std::string_view name) {
        auto const found = topics_.find(Names::token(name));
        if (found == topics_.end() || !found->second.subscribed) return;
        Topic& topic = found->second;
        topic.subscribed = topic.told = false;
        if (connected) send({.kind = Command::Kind::unsubscribe, .subject = names.live(topic.token)});
        if (topic.is_idle() && topic.stream.last_epoch == 0) topics_.erase(found);
    }

    void publish(BackplanePublication const& publication) {
        if (!connected) {
            later([this, serial = publication.serial] { host.on_published(serial, BackplaneOutcome::unknown, {}); });
        } else if (publication.history && *publication.history) {
            streams_.publish(topic_of(publication.topic), publication);
        } else if (is_too_large(publication.body.size())) {
            refuse(publication.serial, true);
        } else {
            auto const token = Names::token(publication.topic);
            send({.kind = Command::Kind::publish, .subject = names.plain(token), .body = std::string(publication.body)});
            plain_.emplace_back(next_barrier_, publication.serial);
            wants_barrier_ = true;
        }
    }

    void read(std::string_view name, HistoryLimits const& limits, Position since) {
        if (connected) return reads_.read(topic_of(name), limits, since);
        later([this, topic = std::string(name)] { host.on_history(topic, {.failed = true, .begins = {}}); });
    }

    void flush() {
        if (!connected) return;
        if (std::exchange(wants_barrier_, false)) {
            std::uint64_t const number = next_barrier_++;
            barriers_.emplace_back(number, now());
            commands_.push_back({.kind = Command::Kind::publish, .subject = inbox_of('b', number)});
        }
        if (!commands_.empty()) worker_->hand_over(connection_, commands_);
    }

   private:
    using Names = detail::NatsNames;
    using Command = detail::NatsCommand;
    using Arrival = detail::NatsArrival;
    using Topic = detail::NatsTopic;
    struct Question {
        Then then;
        TimePoint asked;
    };
    struct Told {
        std::uint64_t barrier;
        std::string token;
        std::uint64_t subscription;
    };
    static constexpr std::size_t most_idle = 4096;
    static constexpr std::chrono::milliseconds longest_tick{250};
    static constexpr std::string_view deleted = "$JS.EVENT.ADVISORY.STREAM.DELETED.";

    // ---- the desk

    TimePoint now() const override { return thread_.loop().now(); }
    void send(Command command) override {
        if (connected) commands_.push_back(std::move(command));
    }
    void ask(std::string subject, std::string body, Then then) override {
        if (!connected) return;
        std::uint64_t const number = ++last_question_;
        send({.kind = Command::Kind::publish,
              .subject = std::move(subject),
              .body = std::move(body),
              .reply = inbox_of('r', number)});
        questions_.emplace(number, Question{std::move(then), now()});
    }
    void later(UniqueFunction<void()> function) override {
        thread_.loop().post([guard = std::weak_ptr<char>(alive_), function = std::move(function), this]() mutable {
            if (guard.expired()) return;
            function();
            flush();
        });
    }
    void refuse(std::uint64_t serial, bool for_its_size) override {
        refusals_.emplace_back(serial, for_its_size);
        later([this] { tell_refusals(); });
    }
    void tell_refusals() {
        for (auto const& [serial, for_its_size] : std::exchange(refusals_, {})) {
            if (for_its_size) host.on_event("backplane_refused", "a message is larger than the broker takes");
            host.on_published(serial, BackplaneOutcome::refused, {});
        }
    }
    void give_up(std::string_view reason) override {
        if (!connected) return;
        worker_->cut(connection_);
        lose(std::string(reason));
    }

    // ---- what comes

    void on_arrivals() override {
        bool dropped = false;
        auto arrivals = inbox_->take(dropped);
        for (Arrival& each : arrivals) {
            if (each.kind == Arrival::Kind::connected)
                on_connected(each);
            else if (each.kind == Arrival::Kind::unreachable)
                on_unreachable(each.text);
            else if (connected && each.connection == connection_)
                each.kind == Arrival::Kind::lost ? lose(each.text) : on_message(each);
        }
        if (dropped && connected) {
            host.on_event("backplane_overrun", "more has come than the loop could take");
            for (std::string const& name : told_topics()) host.on_subscribed(name);
        }
        flush();
    }

    void on_connected(Arrival const& arrival) {
        if (connected) lose("the connection was made anew");
        connected = true;
        connection_ = arrival.connection;
        server = arrival.text;
        most = arrival.most;
        inbox = names.inbox(Names::hex(detail::entropy()));
        unreachable_.clear();
        send({.kind = Command::Kind::subscribe, .subject = inbox + "*.*"});
        send({.kind = Command::Kind::subscribe, .subject = std::string(deleted) + '*'});
        for (auto& [token, topic] : topics_)
            if (topic.subscribed) subscribe_at_server(topic);
        streams_.on_connected();
        wants_barrier_ = true;
    }
    void on_unreachable(std::string const& why) {
        if (std::exchange(unreachable_, why) != why) host.on_event("backplane_unreachable", why);
    }

    void on_message(Arrival& arrival) {
        std::string_view const subject = arrival.subject();
        if (subject.starts_with(inbox)) return on_private(subject.substr(inbox.size()), arrival);
        if (subject.starts_with(deleted)) return streams_.on_deleted(subject.substr(deleted.size()));
        if (arrival.reply().starts_with("$JS.ACK.")) return reads_.on_pulled(arrival);
        auto const token = names.token_of(subject);
        if (!token) return;
        auto const found = topics_.find(*token);
        if (found == topics_.end() || !found->second.subscribed) return;
        if (!subject.ends_with("._")) return streams_.on_live(found->second, arrival);
        // What comes before it is told that it arrives has a hole before it, of which nobody knows yet.
        if (found->second.told) host.on_message(found->second.name, arrival.body(), {});
    }
    void on_private(std::string_view what, Arrival& arrival) {
        if (what.size() < 3) return;
        std::uint64_t const number = detail::NatsAnswer::number_in(what.substr(2));
        switch (what.front()) {
            case 'b': return on_barrier(number);
            case 'p': return streams_.on_ack(number, arrival);
            case 'n': return reads_.on_end(number);
            case 'r':
                if (auto question = questions_.extract(number)) question.mapped().then(&arrival);
                return;
            default: return;  // an answer that nobody waits for
        }
    }

    /// What was sent before it has arrived, and the subscriptions live.
    void on_barrier(std::uint64_t number) {
        while (!barriers_.empty() && barriers_.front().first <= number) barriers_.pop_front();
        if (!std::exchange(ready_, true)) host.on_ready(true, {});
        while (connected && !plain_.empty() && plain_.front().first <= number) {
            std::uint64_t const serial = plain_.front().second;
            plain_.pop_front();
            host.on_published(serial, BackplaneOutcome::done, {});
        }
        while (connected && !telling_.empty() && telling_.front().barrier <= number) {
            Told const told = std::move(telling_.front());
            telling_.pop_front();
            auto const found = topics_.find(told.token);
            if (found == topics_.end() || found->second.subscription != told.subscription || !found->second.subscribed)
                continue;
            found->second.told = true;
            host.on_subscribed(std::string(found->second.name));
        }
    }

    // ---- the connection

    void lose(std::string const& reason) {
        connected = false;
        commands_.clear();
        questions_.clear();
        barriers_.clear();
        telling_.clear();
        for (auto& [token, topic] : topics_) topic.told = false;
        bool const was_ready = std::exchange(ready_, false);
        tell_refusals();
        for (auto const& [barrier, serial] : std::exchange(plain_, {}))
            host.on_published(serial, BackplaneOutcome::unknown, {});
        streams_.on_lost([this](std::uint64_t serial) { host.on_published(serial, BackplaneOutcome::unknown, {}); });
        reads_.on_lost();
        if (was_ready) host.on_ready(false, reason);
    }

    void subscribe_at_server(Topic& topic) {
        topic.subscription = ++last_subscription_;
        if (!connected) return;
        send({.kind = Command::Kind::subscribe, .subject = names.live(topic.token)});
        telling_.push_back({next_barrier_, topic.token, topic.subscription});
        wants_barrier_ = true;
    }

    // ---- time

    void wait_for_tick() {
        auto const pause =
            std::min({options.probe_every, options.probe_limit / 4 + std::chrono::milliseconds(1), longest_tick});
        timer_.expires_after(pause);
        thread_.loop().wait_in_loop(timer_, AsioLoop::WaitHandler{[guard = std::weak_ptr<char>(alive_), this](std::error_code) {
                                        if (guard.expired()) return;
                                        later([this] { on_tick(); });
                                        wait_for_tick();
                                    }});
    }
    void on_tick() {
        if (!connected) return;
        TimePoint const time = now();
        if (!barriers_.empty() && time - barriers_.front().second > options.probe_limit)
            return give_up("the broker does not answer");
        if (barriers_.empty() && time - probed_ >= options.probe_every) {
            probed_ = time;
            wants_barrier_ = true;
        }
        std::vector<Then> unanswered;
        for (auto each = questions_.begin(); each != questions_.end();) {
            auto const next = std::next(each);
            if (time - each->second.asked > options.answer_limit)
                unanswered.push_back(std::move(questions_.extract(each).mapped().then));
            each = next;
        }
        for (Then& each : unanswered)
            if (connected) each(nullptr);
        if (connected) streams_.on_tick(time);
        if (connected) reads_.on_tick(time);
        if (topics_.size() > most_idle) forget_idle();
    }

    // ---- topics

    Topic& topic_of(std::string_view name) {
        auto token = Names::token(name);
        auto const [found, is_new] = topics_.try_emplace(token);
        Topic& topic = found->second;
        if (is_new) {
            topic.name = name;
            topic.token = std::move(token);
        }
        topic.used = true;
        return topic;
    }
    void forget_idle() {
        for (auto each = topics_.begin(); each != topics_.end();) {
            bool const used = std::exchange(each->second.used, false);
            each = used || !each->second.is_idle() ? std::next(each) : topics_.erase(each);
        }
    }
    std::vector<std::string> told_topics() const {
        std::vector<std::string> all;
        for (auto const& [token, topic] : topics_)
            if (topic.told) all.push_back(topic.name);
        return all;
    }

    Thread& thread_;
    AsioLoop::Timer timer_;
    std::shared_ptr<char> alive_ = std::make_shared<char>();
    std::shared_ptr<detail::NatsInbox> inbox_;
    std::shared_ptr<detail::NatsWorker> worker_;
    std::uint64_t connection_ = 0;
    bool ready_ = false;
    std::string unreachable_;  // why, as it was told

    std::vector<Command> commands_;  // until the next flush
    bool wants_barrier_ = false;
    std::uint64_t next_barrier_ = 1;
    std::deque<std::pair<std::uint64_t, TimePoint>> barriers_;   // on their way
    std::deque<std::pair<std::uint64_t, std::uint64_t>> plain_;  // serials, and the barrier behind each
    std::deque<Told> telling_;
    std::vector<std::pair<std::uint64_t, bool>> refusals_;  // serials, and whether that is for their size
    TimePoint probed_{};

    std::uint64_t last_question_ = 0, last_subscription_ = 0;
    std::unordered_map<std::uint64_t, Question> questions_;
    detail::NatsTopics topics_;
    detail::NatsStreams streams_{*this, topics_};
    detail::NatsReads reads_{*this, streams_};
};
static_assert(RemoteBackplane<NatsBackplane>);

}  // namespace hubbub::inline v0
