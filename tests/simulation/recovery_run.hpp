#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <hubbub/hub/hub.hpp>
#include <hubbub/testing/simulation.hpp>

/// Random programs over topics that remember: clients that stall, vanish and come back with the position that they had, while others
/// publish, over one to four shards. L2 and L3: what a client has is whole, once and in order, or it is told where it is not.
namespace recovery_simulation {

using namespace hubbub;
using namespace std::chrono_literals;

inline constexpr std::size_t topics = 3;
inline std::string name_of(std::size_t topic) { return std::string(1, static_cast<char>('a' + topic)); }

/// What the owner of a topic has given a place.
struct Published {
    std::string text;
    TimePoint at;
    std::uint64_t key;
    bool expires;
};

/// Everything that was published, and the options under which.
struct Truth {
    testing::Simulation* sim = nullptr;
    std::array<HistoryLimits, topics> limits;
    std::array<std::map<Position, Published>, topics> all;
    std::map<std::string, Published> under_way;  ///< by text
};
inline Truth* truth = nullptr;

struct AnyTopics {
    TopicOptions options_for(std::string_view name) const {
        if (name.size() != 1) return {};
        return {.history = truth->limits[static_cast<std::size_t>(name[0] - 'a')]};
    }
};
/// Writes down what it is asked about, and gives the clients the place.
struct Places {
    std::optional<Frame> gap_notice(std::uint64_t missed) const { return Frame::text("G " + std::to_string(missed)); }
    Frame publication(PublicationInfo const& info, MessageView message) const {
        std::string const text(message.view());
        auto const topic = static_cast<std::size_t>(info.topic[0] - 'a');
        // From the history it is asked again.
        if (auto const found = truth->under_way.find(text); found != truth->under_way.end()) {
            found->second.at = truth->sim->now();
            truth->all[topic].emplace(info.position, found->second);
            truth->under_way.erase(found);
        }
        return Frame::text("P " + std::string(info.topic) + ' ' + std::to_string(info.position.epoch) + ' ' +
                           std::to_string(info.position.offset) + ' ' + text);
    }
};
struct AnyOverflow {
    OverflowAction action = OverflowAction::disconnect;
    OverflowAction on_full(QueueState const&, OverflowingMessage const&) const noexcept { return action; }
};
struct ByTarget {
    ShardIndex operator()(SessionInfo const& info, ShardCount) const {
        return {static_cast<std::uint16_t>(std::stoul(std::string(info.request.target().substr(1))))};
    }
};
struct Policy : DefaultPolicy {
    using Topics = AnyTopics;
    using Codec = Places;
    using Overflow = AnyOverflow;
    using Sharding = ByTarget;
    using Rates = NoRates;
};

/// One topic as a client has it: everything up to here, since it was last told where it begins.
struct Known {
    bool wanted = false;
    std::optional<Position> position{};  ///< nothing: it was not told yet
    std::optional<Position> asked{};     ///< what it subscribed with
    bool is_new = true;                  ///< not told since it subscribed
};

/// Somebody who has a connection most of the time, and comes back with what it knows.
struct Person {
    std::optional<testing::Client> client;
    std::array<Known, topics> known;
    std::size_t looked_at = 0;
    std::uint64_t unexplained = 0, explained = 0;
    std::size_t shard = 0;
};

/// One of them. The first violation is thrown.
class RecoveryRun {
   public:
    explicit RecoveryRun(std::uint64_t seed) : sim_(seed, 1 + seed % 4) {
        truth = &truth_;
        truth_.sim = &sim_;
        for (auto& limits : truth_.limits) {
            limits.messages = 1 + static_cast<std::uint32_t>(pick(one_in(3) ? 6 : 60));
            limits.bytes = one_in(3) ? 50 + pick(500) : std::size_t{1} << 20;
            limits.age = one_in(2) ? std::chrono::milliseconds(500 + pick(20'000)) : 300'000ms;
            limits.newest_per_key = one_in(3);
        }
        HubOptions<Policy> options;
        disconnects_ = one_in(2);
        options.overflow.action = disconnects_ ? OverflowAction::disconnect
                                  : one_in(2)  ? OverflowAction::drop_newest
                                               : OverflowAction::drop_oldest;
        options.queue.messages = 8 + static_cast<std::uint32_t>(pick(40));  // for what is said of all topics at once
        options.queue.bytes = 400 + static_cast<std::uint32_t>(pick(4000));
        options.queue.high_bytes = options.queue.bytes / 2;
        options.queue.low_bytes = options.queue.bytes / 8;
        if (one_in(2)) options.mailbox = {4096, 1 + pick(8)};
        hub_.reset(new HubType(sim_.hub<Policy>(Hooks{this}, options)));
        for (std::size_t i = 2 + pick(4); i-- > 0;) people_.emplace_back();
    }
    ~RecoveryRun() {
        hub_.reset();
        while (sim_.step()) {}
        truth = nullptr;
    }

    /// How often what is to be tested has happened.
    std::uint64_t recovered() const noexcept { return recovered_; }
    std::uint64_t lost() const noexcept { return lost_; }

    void run(int steps) {
        while (steps-- > 0) {
            event();
            for (std::size_t i = pick(8); i-- > 0 && sim_.step();) {}
            look();
        }
        finish();
    }

   private:
    using HubType = Hub<MemoryConnection, Policy>;
    struct Hooks : NoopHandler {
        RecoveryRun* run;
        explicit Hooks(RecoveryRun* of) : run(of) {}
        void on_message(auto& session, MessageView message) { run->on_message(session, message.view()); }
        void on_subscribed(auto& session, Subscription const& told) { run->on_subscribed(session, told); }
    };

    std::size_t pick(std::size_t end) { return static_cast<std::size_t>(sim_.pick(end)); }
    bool one_in(std::size_t times) { return pick(times) == 0; }
    Person& anybody() { return people_[pick(people_.size())]; }

    // ---- the program
    void event() {
        Person& person = anybody();
        switch (pick(14)) {
            case 0: return sim_.run_for(std::chrono::milliseconds(pick(one_in(6) ? 8000 : 300)));
            case 1:
                if (person.client) person.client->limit_to(pick(300));
                return;
            case 2:
                if (person.client) person.client->unstall();
                return;
            case 3:
                if (person.client && one_in(3)) person.client->reset();
                return;
            case 4:
            case 5:
                if (!person.client) return connect(person);
                return subscribe(person, pick(topics));
            case 6:
                if (person.client && one_in(3)) unsubscribe(person, pick(topics));
                return;
            case 7:
                if (person.client) person.client->send_text("publish");
                return;
            default:
                for (std::size_t i = 1 + pick(one_in(4) ? 20 : 3); i-- > 0;) publish(nullptr);
        }
    }
    void connect(Person& person) {
        testing::ClientOptions options;
        options.mode = static_cast<MemoryMode>(pick(3));
        person.shard = pick(sim_.loops().size());
        options.target = "/" + std::to_string(person.shard);
        options.shard = pick(sim_.loops().size());
        if (one_in(4)) options.latency = std::chrono::milliseconds(pick(300));
        if (one_in(2)) options.largest_piece = 1 + pick(60);
        person.client = sim_.connect(*hub_, std::move(options));
        person.looked_at = 0;
        person.unexplained = person.explained = 0;
        for (std::size_t topic = 0; topic < topics; ++topic)
            if (person.known[topic].wanted) ask(person, topic);
    }
    void subscribe(Person& person, std::size_t topic) {
        if (std::exchange(person.known[topic].wanted, true)) return;
        ask(person, topic);
    }
    void ask(Person& person, std::size_t topic) {
        Known& known = person.known[topic];
        known.is_new = true;
        known.asked = known.position;
        std::string text = "in " + name_of(topic) + ' ' + std::to_string(pick(3) * 4);
        if (known.position) text += ' ' + std::to_string(known.position->epoch) + ' ' + std::to_string(known.position->offset);
        person.client->send_text(text);
    }
    void unsubscribe(Person& person, std::size_t topic) {
        if (!person.known[topic].wanted || person.known[topic].is_new) return;
        person.known[topic] = {};
        person.client->send_text("out " + name_of(topic));
        // What is under way to it belongs to nobody.
        person.client->reset();
    }
    void publish(Session<MemoryConnection, Policy>* by) {
        std::size_t const topic = pick(topics);
        std::string const text = std::to_string(++number_) + std::string(one_in(6) ? pick(200) : pick(20), '.');
        PublishOptions options;
        options.key = one_in(2) ? 1 + pick(3) : 0;
        if (one_in(8)) options.expires_in = std::chrono::milliseconds(1 + pick(3000));
        truth_.under_way.emplace(text, Published{text, {}, options.key, options.expires_in.count() != 0});
        if (by)
            (void)by->publish(name_of(topic), MessageView::text(text), std::move(options));
        else
            hub_->publish(name_of(topic), Frame::text(text), std::move(options));
    }

    // ---- hooks
    void on_message(Session<MemoryConnection, Policy>& session, std::string_view text) {
        if (text == "publish") return publish(&session);
        std::string const topic(1, text[text.find(' ') + 1]);
        if (text.starts_with("out")) return void(session.unsubscribe(topic));
        std::istringstream words{std::string(text.substr(5))};
        SubscribeOptions options;
        Position since;
        words >> options.newest;
        if (words >> since.epoch >> since.offset) options.since = since;
        (void)session.subscribe(topic, options);
    }
    void on_subscribed(Session<MemoryConnection, Policy>& session, Subscription const& told) {
        if (told.recovered) ++recovered_;
        session.send("S " + std::string(told.topic) + ' ' + std::to_string(told.position.epoch) + ' ' +
                     std::to_string(told.position.offset) + (told.recovered ? " 1" : " 0"));
        if (one_in(4)) publish(&session);
        if (one_in(8)) {  // an answer is on its way to who asks anew
            std::string const topic(told.topic);
            Position const since = told.position;
            (void)session.unsubscribe(topic);
            (void)session.subscribe(topic, {.since = since});
        }
    }

    // ---- what has to hold
    static void expect(bool holds, std::string const& what) {
        if (!holds) throw std::runtime_error(what);
    }
    void look() {
        for (Person& person : people_) {
            if (!person.client) continue;
            auto const& received = person.client->received();
            for (; person.looked_at < received.size(); ++person.looked_at) read(person, received[person.looked_at].payload);
            if (!person.client->ended() && !person.client->is_closed()) continue;
            if (disconnects_) expect(person.unexplained == 0, "a silent hole");
            person.client.reset();
        }
    }
    void read(Person& person, std::string const& text) {
        std::istringstream words(text);
        std::string kind, topic, rest;
        Position position;
        words >> kind;
        if (kind == "G") {
            std::uint64_t missed = 0;
            words >> missed;
            person.explained += missed;
            return;
        }
        words >> topic >> position.epoch >> position.offset >> rest;
        auto const number = static_cast<std::size_t>(topic[0] - 'a');
        Known& known = person.known[number];
        if (!known.wanted) return;
        if (kind == "S") return begin(known, number, position, rest == "1");
        auto const published = truth_.all[number].find(position);
        expect(published != truth_.all[number].end(), "nothing was published there: " + text);
        expect(published->second.text == rest, "something else was published there: " + text);
        // Where notices may be dropped themselves, only the order can be held against it.
        if (!disconnects_ && known.position && known.position->epoch != position.epoch)
            known.position = Position{position.epoch, 0};
        if (!disconnects_ && (!known.position || known.is_new)) {
            known.position = position;
            known.is_new = false;
            return;
        }
        expect(!known.is_new, "a publication before it was told where it begins: " + text);
        expect(known.position->epoch == position.epoch, "another epoch, and nobody has said so: " + text);
        expect(position.offset > known.position->offset, "again, or out of order: " + text);
        person.unexplained += holes(number, *known.position, position);
        known.position = position;
    }
    void begin(Known& known, std::size_t topic, Position position, bool recovered) {
        if (recovered) {
            expect(!disconnects_ || (known.is_new ? known.asked == position : known.position == position),
                   "recovered, but not from where it had been");
        } else if (known.is_new && known.asked && known.asked->epoch == position.epoch) {
            expect(!must_recover(topic, *known.asked), "not recovered, although it is remembered");
        } else if (known.is_new && known.asked) {
            auto const& all = truth_.all[topic];
            auto const last = all.upper_bound({known.asked->epoch, ~std::uint64_t{0}});
            expect(last == all.begin() || std::prev(last)->first.epoch != known.asked->epoch ||
                       std::prev(last)->second.at + truth_.limits[topic].age <= sim_.now(),
                   "it has begun anew, although something was published of late");
        } else if (!known.is_new) {
            ++lost_;
            expect(known.position->epoch == position.epoch && position.offset > known.position->offset, "goes back");
        }
        known.position = position;
        known.is_new = false;
    }
    /// What nobody is to miss between two places: not what expires or was replaced.
    std::uint64_t holes(std::size_t topic, Position from, Position to) const {
        std::uint64_t count = 0;
        auto const& all = truth_.all[topic];
        for (auto each = all.upper_bound(from); each != all.end() && each->first < to; ++each) {
            bool const may_be_replaced = truth_.limits[topic].newest_per_key && each->second.key;
            if (!each->second.expires && !may_be_replaced) ++count;
        }
        return count;
    }
    /// The limits leave everything behind that place, even now.
    bool must_recover(std::size_t topic, Position since) const {
        HistoryLimits const& limits = truth_.limits[topic];
        std::size_t messages = 0, bytes = 0;
        auto const& all = truth_.all[topic];
        for (auto each = all.upper_bound(since); each != all.end() && each->first.epoch == since.epoch; ++each) {
            bytes += each->second.text.size();
            if (each->second.at + limits.age <= sim_.now()) return false;
            ++messages;
        }
        return messages <= limits.messages && bytes <= limits.bytes;
    }
    /// Everybody is back, and everything has come.
    void finish() {
        for (Person& person : people_)
            if (person.client) person.client->unstall();
        sim_.run_for(1s);
        look();
        for (int tries = 0; tries < 5; ++tries) {  // what is published meanwhile may be too much for somebody
            for (Person& person : people_)
                if (!person.client) connect(person);
            sim_.run_for(1s);
            look();
        }
        for (std::size_t topic = 0; topic < topics; ++topic) {
            truth_.under_way.emplace("end" + name_of(topic), Published{"end" + name_of(topic), {}, 0, false});
            hub_->publish(name_of(topic), Frame::text("end" + name_of(topic)));
        }
        sim_.run_for(1s);
        look();
        std::uint64_t pending = 0;
        DeliveryCounts sums;
        for (std::size_t i = 0; i < sim_.loops().size(); ++i) {
            auto const snapshot = hub_->snapshot(i);
            sums += snapshot.delivery;
            pending += snapshot.pending;
        }
        expect(sums.deliveries == sums.written + sums.all_dropped() + pending, "the sums do not match");
        for (Person& person : people_) {
            expect(person.client.has_value(), "somebody cannot stay connected");
            for (std::size_t topic = 0; topic < topics; ++topic) {
                Known const& known = person.known[topic];
                if (!known.wanted) continue;
                Position const last = std::prev(truth_.all[topic].end())->first;
                if (!disconnects_ && (!known.position || known.position->epoch != last.epoch))
                    continue;  // nobody could tell it
                expect(known.position->epoch == last.epoch && known.position->offset <= last.offset, "in the future");
                person.unexplained += holes(topic, *known.position, {last.epoch, last.offset + 1});
            }
            // What was dropped was said; and who is disconnected instead has no hole at all.
            expect(person.unexplained <= (disconnects_ ? 0 : person.explained), "a silent hole");
        }
    }

    testing::Simulation sim_;
    Truth truth_;
    std::unique_ptr<HubType> hub_;
    std::vector<Person> people_;
    bool disconnects_ = false;
    std::uint64_t number_ = 0, recovered_ = 0, lost_ = 0;
};

}  // namespace recovery_simulation
