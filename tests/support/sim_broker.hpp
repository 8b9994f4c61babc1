#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <hubbub/backplane/backplane.hpp>
#include <hubbub/transport/memory/manual_loop.hpp>

/// A broker in the memory of a simulation: what it is told and what it says lies in queues, until somebody lets it go on.
namespace sim_broker {

using namespace hubbub;

class Link;

/// What the broker knows. Everything happens when `step` is called, one thing at a time.
class Broker {
   public:
    struct Entry {
        std::uint64_t offset;
        TimePoint at;
        std::uint64_t key;
        std::string body;
    };
    struct Topic {
        std::uint64_t epoch = 0, offset = 0, lost = 0;
        std::deque<Entry> entries;
        std::map<std::uint64_t, std::uint64_t> serials;                    ///< the last of each node
        std::map<std::uint64_t, std::pair<std::uint64_t, TimePoint>> ids;  ///< offset and time
    };

    std::function<TimePoint()> now;
    std::function<std::size_t(std::size_t)> pick;
    /// Called with each publication that gets a place.
    std::function<void(std::string const& topic, Position, std::string const& body)> on_placed = [](auto&&...) {};

    bool is_up = true;
    std::vector<Link*> links;

    Topic& topic(std::string const& name) {
        Topic& known = topics_[name];
        if (!known.epoch) known.epoch = ++epochs_;
        return known;
    }
    void forget_everything() { topics_.clear(); }
    std::map<std::string, Topic>& topics() noexcept { return topics_; }
    void publish(std::string const& name, std::string const& body, Position position);
    std::pair<BackplaneOutcome, Position> place(BackplanePublication const& given, std::uint64_t node);
    static void trim(Topic& topic, HistoryLimits const& limits, TimePoint now);
    /// One thing happens, on one of the links. False: nothing is to be done.
    bool step();

   private:
    std::map<std::string, Topic> topics_;
    std::uint64_t epochs_ = 1'000'000;
};

/// The connections of one node.
class Link {
   public:
    using Does = std::function<void()>;

    Link(Broker& broker, std::uint64_t node, ShardLoop& loop, BackplaneHost& host)
        : node_(node), broker_(&broker), loop_(&loop), host_(&host) {
        broker.links.push_back(this);
    }
    ~Link() {
        *alive_ = false;
        std::erase(broker_->links, this);
    }

    bool is_connected() const noexcept { return connected_; }
    ShardLoop const* loop() const noexcept { return loop_; }
    bool is_deaf = false;     ///< its subscriptions are dead, and nobody has noticed
    bool is_cut_off = false;  ///< it cannot connect
    bool is_started = false;
    std::set<std::string> wanted;
    std::set<std::string> subscribed;  ///< at the broker
    std::deque<Does> to_broker, commands, messages;

    void to_host(std::function<void(BackplaneHost&)> tell) {
        loop_->post([tell = std::move(tell), host = host_, alive = alive_] {
            if (*alive) tell(*host);
        });
    }
    /// Everything that is under way is lost.
    void cut() {
        is_deaf = false;
        if (!std::exchange(connected_, false)) return;
        to_broker.clear();
        commands.clear();
        messages.clear();
        subscribed.clear();
        is_noticed_ = false;
        to_host([this](BackplaneHost& host) {
            is_noticed_ = true;
            for (std::uint64_t const serial : std::exchange(open_, {}))
                host.on_published(serial, BackplaneOutcome::unknown, {});
            for (std::string const& topic : std::exchange(reads_, {})) host.on_history(topic, {.failed = true});
            ready_ = false;
            host.on_ready(false, "cut");
        });
    }
    bool can_step() const noexcept {
        if (!connected_) return is_started && broker_->is_up && !is_cut_off;
        return !to_broker.empty() || !commands.empty() || !messages.empty();
    }
    void step() {
        if (!connected_) {
            connected_ = true;
            to_host([this](BackplaneHost& host) {
                if (!connected_ || ready_) return;
                ready_ = true;
                for (std::string const& topic : wanted) ask_to_subscribe(topic);
                host.on_ready(true, {});
            });
            return;
        }
        std::deque<Does>* const queues[] = {&to_broker, &commands, &messages};
        for (;;) {
            auto& queue = *queues[broker_->pick(3)];
            if (queue.empty()) continue;
            Does const does = std::move(queue.front());
            queue.pop_front();
            return does();
        }
    }

    // ---- the backplane's side
    void ask_to_subscribe(std::string const& topic) {
        if (!connected_ || !is_noticed_) return;
        to_broker.push_back([this, topic] {
            subscribed.insert(topic);
            messages.push_back([this, topic] {
                to_host([this, topic](BackplaneHost& host) {
                    if (wanted.contains(topic) && ready_) host.on_subscribed(topic);
                });
            });
        });
    }
    void publish(BackplanePublication const& given) {
        if (!ready_) throw std::logic_error("a publication is given although nothing is ready");
        open_.insert(given.serial);
        if (!is_noticed_) return;  // it is told so
        struct Copy {
            std::string topic, body;
            std::optional<HistoryLimits> limits;
            BackplanePublication publication;
        };
        auto const copy = std::make_shared<Copy>();
        copy->topic = given.topic;
        copy->body = given.body;
        copy->publication = given;
        copy->publication.topic = copy->topic;
        copy->publication.body = copy->body;
        if (given.history) {
            copy->limits = *given.history;
            copy->publication.history = &*copy->limits;
        }
        to_broker.push_back([this, copy] {
            BackplanePublication const& what = copy->publication;
            std::pair<BackplaneOutcome, Position> answer{BackplaneOutcome::done, {}};
            if (what.history)
                answer = broker_->place(what, node_);
            else
                broker_->publish(copy->topic, copy->body, {});
            commands.push_back([this, answer, serial = what.serial] {
                to_host([this, answer, serial](BackplaneHost& host) {
                    if (open_.erase(serial)) host.on_published(serial, answer.first, answer.second);
                });
            });
        });
    }
    void read(std::string const& topic, HistoryLimits const& limits, Position since) {
        if (!ready_) throw std::logic_error("a read is asked for although nothing is ready");
        reads_.push_back(topic);
        if (!is_noticed_) return;
        to_broker.push_back([this, topic, limits, since] { answer(topic, limits, since); });
    }

   private:
    void answer(std::string const& name, HistoryLimits const& limits, Position since) {
        Broker::Topic& topic = broker_->topic(name);
        Broker::trim(topic, limits, broker_->now());
        struct Copy {
            BackplaneHistory history;
            std::deque<std::string> bodies;
        };
        auto const copy = std::make_shared<Copy>();
        BackplaneHistory& history = copy->history;
        bool const is_whole = since.epoch == topic.epoch && since.offset <= topic.offset && since.offset >= topic.lost;
        history.begins = is_whole ? since : Position{topic.epoch, topic.lost};
        history.reached = topic.offset;
        std::size_t const most = 1 + broker_->pick(6);
        for (Broker::Entry const& entry : topic.entries) {
            if (entry.offset <= history.begins.offset) continue;
            if (history.entries.size() == most) {
                history.reached = history.entries.back().offset;
                history.more = true;
                break;
            }
            copy->bodies.push_back(entry.body);
            history.entries.push_back({entry.offset,
                                       std::chrono::duration_cast<std::chrono::milliseconds>(broker_->now() - entry.at),
                                       copy->bodies.back()});
        }
        commands.push_back([this, name, copy] {
            to_host([this, name, copy](BackplaneHost& host) {
                auto const open = std::find(reads_.begin(), reads_.end(), name);
                if (open == reads_.end()) return;
                reads_.erase(open);
                host.on_history(name, copy->history);
            });
        });
    }

    std::uint64_t node_;
    Broker* broker_;
    ShardLoop* loop_;
    BackplaneHost* host_;
    bool connected_ = false;
    bool ready_ = false;             ///< as the host was told
    bool is_noticed_ = true;         ///< that it was cut
    std::set<std::uint64_t> open_;   ///< serials
    std::deque<std::string> reads_;  ///< topics
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

inline void Broker::publish(std::string const& name, std::string const& body, Position position) {
    for (Link* const link : links) {
        if (!link->is_connected() || link->is_deaf || !link->subscribed.contains(name)) continue;
        auto const tell = [link, name, body, position] {
            link->to_host([link, name, body, position](BackplaneHost& host) {
                if (link->wanted.contains(name)) host.on_message(name, body, position);
            });
        };
        link->messages.push_back(tell);
        if (position.epoch && pick(8) == 0) link->messages.push_back(tell);
    }
}

inline void Broker::trim(Topic& topic, HistoryLimits const& limits, TimePoint now) {
    auto const bytes = [&] {
        std::size_t sum = 0;
        for (Entry const& entry : topic.entries) sum += entry.body.size();
        return sum;
    };
    while (!topic.entries.empty() &&
           (topic.entries.size() > limits.messages || bytes() > limits.bytes || topic.entries.front().at + limits.age <= now)) {
        topic.lost = topic.entries.front().offset;
        topic.entries.pop_front();
    }
}

inline std::pair<BackplaneOutcome, Position> Broker::place(BackplanePublication const& given, std::uint64_t node) {
    std::string const name(given.topic);
    Topic& known = topic(name);
    std::uint64_t& last = known.serials[node];
    if (given.serial <= last) return {BackplaneOutcome::repeated, {known.epoch, 0}};
    last = given.serial;
    if (given.id) {
        auto const before = known.ids.find(given.id);
        if (before != known.ids.end() && before->second.second + given.history->id_age > now())
            return {BackplaneOutcome::repeated, {known.epoch, before->second.first}};
        known.ids[given.id] = {known.offset + 1, now()};
    }
    if (given.history->newest_per_key && given.key)
        std::erase_if(known.entries, [&](Entry const& entry) { return entry.key == given.key; });
    Position const position{known.epoch, ++known.offset};
    known.entries.push_back({position.offset, now(), given.key, std::string(given.body)});
    on_placed(name, position, known.entries.back().body);
    std::string const body(given.body);
    trim(known, *given.history, now());
    publish(name, body, position);
    return {BackplaneOutcome::done, position};
}

inline bool Broker::step() {
    std::vector<Link*> able;
    for (Link* const link : links)
        if (link->can_step()) able.push_back(link);
    if (able.empty()) return false;
    able[pick(able.size())]->step();
    return true;
}

/// The model of RemoteBackplane over it.
class SimBackplane {
   public:
    struct Options {
        std::vector<Broker*> at;
        ManualLoop* loop_of_node = nullptr;
    };
    class Thread {
       public:
        explicit Thread(ManualLoop& loop) : loop_(&loop) {}
        ManualLoop& loop() noexcept { return *loop_; }

       private:
        ManualLoop* loop_;
    };
    static std::unique_ptr<Thread> make_thread(Options const& options) {
        return std::make_unique<Thread>(*options.loop_of_node);
    }
    static std::size_t brokers(Options const& options) { return options.at.size(); }

    SimBackplane(Options const& options, std::size_t number, std::uint64_t node, Thread& thread, BackplaneHost& host)
        : link_(*options.at[number], node, thread.loop(), host) {}
    void start() { link_.is_started = true; }
    void subscribe(std::string_view topic) {
        link_.wanted.emplace(topic);
        link_.ask_to_subscribe(std::string(topic));
    }
    void unsubscribe(std::string_view topic) {
        link_.wanted.erase(std::string(topic));
        if (link_.is_connected())
            link_.to_broker.push_back([this, name = std::string(topic)] { link_.subscribed.erase(name); });
    }
    void publish(BackplanePublication const& given) { link_.publish(given); }
    void read(std::string_view topic, HistoryLimits const& limits, Position since) {
        link_.read(std::string(topic), limits, since);
    }
    void flush() {}

   private:
    Link link_;
};
static_assert(RemoteBackplane<SimBackplane>);

}  // namespace sim_broker
