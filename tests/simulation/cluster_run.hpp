#pragma once

#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <hubbub/hub/hub.hpp>
#include <hubbub/testing/simulation.hpp>

#include "tests/support/sim_broker.hpp"

/// Random programs over several hubs that are one, with a broker that delays, loses its connections, goes deaf, is away and comes back
/// empty, while clients go from node to node. L1 to L4: what a client has is whole, once and in order, or it is told where it is not.
namespace cluster_simulation {

using namespace hubbub;
using namespace std::chrono_literals;

/// "a" and "b" remember, "c" and "d" do not. "b" and "d" refuse what is published while the broker is away, "a" and "c" know who is there.
inline constexpr std::size_t topics = 4;
inline std::string name_of(std::size_t topic) { return std::string(1, static_cast<char>('a' + topic)); }
inline std::size_t number_of(std::string_view name) { return static_cast<std::size_t>(name[0] - 'a'); }
inline bool remembers(std::size_t topic) { return topic < 2; }

inline std::array<HistoryLimits, topics>* limits = nullptr;

struct FourTopics {
    TopicOptions options_for(std::string_view name) const {
        if (name.size() != 1) return {};
        std::size_t const number = number_of(name);
        return {.history = (*limits)[number],
                .presence = {.kept = number % 2 == 0, .lease = 5s},
                .when_apart = number % 2 ? WhenApart::refuse : WhenApart::deliver_here};
    }
};
struct Places {
    std::optional<Frame> gap_notice(std::uint64_t) const { return std::nullopt; }
    Frame publication(PublicationInfo const& info, MessageView message) const {
        Position const position = info.remembered ? info.position : Position{};
        return Frame::text("P " + std::string(info.topic) + ' ' + std::to_string(position.epoch) + ' ' +
                           std::to_string(position.offset) + ' ' + std::string(message.view()));
    }
};
struct ByTarget {
    ShardIndex operator()(SessionInfo const& info, ShardCount) const {
        return {static_cast<std::uint16_t>(std::stoul(std::string(info.request.target().substr(1))))};
    }
};
struct Policy : DefaultPolicy {
    using Topics = FourTopics;
    using Codec = Places;
    using Sharding = ByTarget;
    using Rates = NoRates;
    using Backplane = sim_broker::SimBackplane;
};

/// One of them. The first violation is thrown.
class ClusterRun {
   public:
    explicit ClusterRun(std::uint64_t seed);
    ~ClusterRun() {
        nodes_.clear();
        while (sim_.step() || step_broker()) {}
        limits = nullptr;
    }
    void run(int steps) {
        while (steps-- > 0) {
            event();
            for (std::size_t i = pick(12); i-- > 0;)
                if (one_in(2) ? !sim_.step() : !step_broker()) break;
            look();
        }
        finish();
    }
    std::uint64_t recovered() const noexcept { return recovered_; }
    std::uint64_t lost() const noexcept { return lost_; }
    std::uint64_t apart() const noexcept { return apart_; }

   private:
    using HubType = Hub<MemoryConnection, Policy>;
    using SessionType = Session<MemoryConnection, Policy>;
    struct Hooks : NoopHandler {
        ClusterRun* run;
        explicit Hooks(ClusterRun* of) : run(of) {}
        void on_message(auto& session, MessageView message) { run->on_message(session, message.view()); }
        void on_subscribed(auto& session, Subscription const& told) { run->tell(session, told, told.recovered ? " 1" : " 0"); }
        void on_continuity_lost(auto& session, Subscription const& told) { run->tell(session, told, " lost"); }
    };
    struct Node {
        std::unique_ptr<HubType> hub;
        std::vector<ShardLoop*> loops;
        std::array<std::uint64_t, topics> published{};  ///< numbers its publications of each topic
    };
    /// One topic as a client has it.
    struct Known {
        bool wanted = false;
        bool is_new = true;  ///< not told since it subscribed
        std::optional<Position> position{};
        std::optional<Position> asked{};
        std::map<std::size_t, std::uint64_t> last;  ///< of each node, since it was told last; nothing: anything may come
        std::set<std::string> texts;                ///< everything that it was given
    };
    struct Person {
        std::optional<testing::Client> client;
        std::size_t node = 0, looked_at = 0;
        std::array<Known, topics> known;
    };
    struct Published {
        std::size_t topic, node;
        std::uint64_t number;
        bool has_receipt, is_told = false;
        bool is_refused = false;
        PublishFailure failure = PublishFailure::none;
    };

    std::size_t pick(std::size_t end) { return static_cast<std::size_t>(sim_.pick(end)); }
    bool one_in(std::size_t times) { return pick(times) == 0; }
    Person& anybody() { return people_[pick(people_.size())]; }
    bool step_broker() {
        sim_broker::Broker& broker = *brokers_[pick(brokers_.size())];
        if (broker.step()) return true;
        for (auto const& each : brokers_)
            if (each->step()) return true;
        return false;
    }
    /// Everything that can happen now.
    void settle() {
        for (std::size_t most = 100'000; sim_.step() || step_broker();)
            if (!--most) throw std::runtime_error("it never rests");
    }
    void pass(std::chrono::milliseconds time) {
        for (; time.count() > 0; time -= 100ms) {
            sim_.run_for(std::min(time, std::chrono::milliseconds(100)));
            for (std::size_t i = pick(30); i-- > 0 && step_broker();) {}
        }
    }
    sim_broker::Link* any_link() {
        auto& links = brokers_[pick(brokers_.size())]->links;
        return links.empty() ? nullptr : links[pick(links.size())];
    }

    void event();
    void fault();
    void connect(Person& person, std::size_t node);
    void ask(Person& person, std::size_t topic);
    void publish(std::size_t node, std::size_t topic, std::string const& text);
    void publish_any(std::size_t node) {
        std::size_t const topic = pick(topics);
        publish(node, topic, std::to_string(node) + '.' + std::to_string(++nodes_[node].published[topic]));
    }
    void on_message(SessionType& session, std::string_view text);
    void tell(SessionType& session, Subscription const& told, std::string const& how) {
        session.send("S " + std::string(told.topic) + ' ' + std::to_string(told.position.epoch) + ' ' +
                     std::to_string(told.position.offset) + how);
    }
    static void expect(bool holds, std::string const& what) {
        if (!holds) throw std::runtime_error(what);
    }
    void look();
    void read(Person& person, std::string const& text);
    void begin(Known& known, std::size_t topic, Position position, std::string const& how);
    void hear_remembered(Known& known, std::size_t topic, Position position, std::string const& text);
    void hear_plain(Known& known, std::size_t topic, std::string const& text);
    void finish();
    void look_who_is_there();

    testing::Simulation sim_;
    std::array<HistoryLimits, topics> limits_{};
    std::vector<std::unique_ptr<sim_broker::Broker>> brokers_;
    std::vector<Node> nodes_;
    std::vector<Person> people_;
    std::array<std::map<Position, std::string>, topics> placed_;  ///< by the broker
    std::map<std::string, Published> published_;                  ///< by topic and text
    std::uint64_t recovered_ = 0, lost_ = 0, apart_ = 0;
};

inline ClusterRun::ClusterRun(std::uint64_t seed) : sim_(seed, 9) {
    limits = &limits_;
    for (std::size_t topic = 0; topic < topics; ++topic) {
        if (!remembers(topic)) continue;
        limits_[topic].messages = 1 + static_cast<std::uint32_t>(pick(one_in(2) ? 6 : 200));
        limits_[topic].age = one_in(2) ? std::chrono::milliseconds(2000 + pick(20'000)) : 300'000ms;
    }
    for (std::size_t i = 1 + pick(2); i-- > 0;) {
        auto broker = std::make_unique<sim_broker::Broker>();
        broker->now = [this] { return sim_.now(); };
        broker->pick = [this](std::size_t end) { return pick(end); };
        broker->on_placed = [this](std::string const& name, Position position, std::string const& body) {
            if (name.size() == 1) placed_[number_of(name)].emplace(position, body.substr(Envelope::size));
        };
        brokers_.push_back(std::move(broker));
    }
    std::size_t const count = 2 + pick(2), shards = 1 + pick(2);
    nodes_.resize(count);
    for (std::size_t node = 0; node < count; ++node) {
        auto const all = sim_.loops().subspan(node * 3, shards + 1);
        HubOptions<Policy> options;
        for (auto const& broker : brokers_) options.backplane.at.push_back(broker.get());
        options.backplane.loop_of_node = static_cast<ManualLoop*>(all[shards]);
        options.seed = seed * 1000 + node + 1;
        if (one_in(4)) options.outbox.messages = 1 + pick(8);
        if (one_in(2)) options.outbox.on_full = OutboxLimits::Full::drop_oldest;
        if (one_in(4)) options.mailbox = {4096, 1 + pick(8)};
        nodes_[node].loops.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(shards));
        nodes_[node].hub =
            std::make_unique<HubType>(std::span<ShardLoop* const>(nodes_[node].loops), Hooks{this}, std::move(options));
    }
    people_.resize(2 + pick(4));
}

inline void ClusterRun::event() {
    Person& person = anybody();
    switch (pick(12)) {
        case 0: return pass(std::chrono::milliseconds(pick(one_in(5) ? 6000 : 400)));
        case 1: return fault();
        case 2:
            if (person.client && one_in(3)) person.client->reset();
            return;
        case 3:
        case 4: {
            if (!person.client) return connect(person, pick(nodes_.size()));
            std::size_t const topic = pick(topics);
            if (!std::exchange(person.known[topic].wanted, true)) ask(person, topic);
            return;
        }
        case 5:
            if (person.client) person.client->send_text("publish");
            return;
        default:
            for (std::size_t i = 1 + pick(one_in(4) ? 12 : 3); i-- > 0;) publish_any(pick(nodes_.size()));
    }
}

inline void ClusterRun::fault() {
    sim_broker::Broker& broker = *brokers_[pick(brokers_.size())];
    sim_broker::Link* const link = any_link();
    switch (pick(8)) {
        case 0:
        case 1:
            if (link) link->cut();
            return;
        case 2:  // the subscription is dead, until it is noticed
            if (link) link->is_deaf = true;
            return;
        case 3:
            if (link && link->is_deaf) link->cut();
            return;
        case 4:
            if (!link) return;
            link->is_cut_off = !link->is_cut_off;
            if (link->is_cut_off) link->cut();
            return;
        case 5:
            broker.is_up = !broker.is_up;
            if (!broker.is_up)
                for (sim_broker::Link* const each : broker.links) each->cut();
            return;
        case 6:
            if (one_in(2)) broker.forget_everything();
            return;
        default:
            broker.is_up = true;
            for (sim_broker::Link* const each : broker.links) each->is_cut_off = false;
    }
}

inline void ClusterRun::connect(Person& person, std::size_t node) {
    Node& at = nodes_[node];
    testing::ClientOptions options;
    options.mode = static_cast<MemoryMode>(pick(3));
    options.target = "/" + std::to_string(pick(at.loops.size()));
    options.shard = pick(at.loops.size());
    person.client = sim_.connect(*at.hub, std::move(options));
    person.node = node;
    person.looked_at = 0;
    for (std::size_t topic = 0; topic < topics; ++topic)
        if (person.known[topic].wanted) ask(person, topic);
}

inline void ClusterRun::ask(Person& person, std::size_t topic) {
    Known& known = person.known[topic];
    known.is_new = true;
    known.asked = known.position;
    known.last.clear();
    std::string text = "in " + name_of(topic) + ' ' + std::to_string(pick(3) * 4);
    if (known.position) text += ' ' + std::to_string(known.position->epoch) + ' ' + std::to_string(known.position->offset);
    person.client->send_text(text);
}

inline void ClusterRun::publish(std::size_t node, std::size_t topic, std::string const& text) {
    PublishOptions options;
    std::string const key = name_of(topic) + ' ' + text;
    Published& published = published_[key];
    published = {topic, node, static_cast<std::uint64_t>(std::stoul(text.substr(2))), one_in(2)};
    if (published.has_receipt)
        options.on_receipt = [this, key](PublishReceipt const& receipt) {
            Published& of = published_[key];
            expect(!std::exchange(of.is_told, true), "told twice what became of " + key);
            of.failure = receipt.failure;
            if (receipt.failure == PublishFailure::apart) ++apart_;
            if (receipt.failure != PublishFailure::none || !receipt.remembered || !receipt.position.offset) return;
            auto const place = placed_[of.topic].find(receipt.position);
            expect(place != placed_[of.topic].end() && name_of(of.topic) + ' ' + place->second == key,
                   "it was told a place that is another's: " + key);
        };
    PublishResult const result = nodes_[node].hub->publish(name_of(topic), Frame::text(text), std::move(options));
    if (result != PublishResult::accepted) published.is_refused = true;
}

inline void ClusterRun::on_message(SessionType& session, std::string_view text) {
    if (text == "publish") return;
    std::istringstream words{std::string(text.substr(3))};
    std::string topic;
    SubscribeOptions options;
    Position since;
    words >> topic >> options.newest;
    if (words >> since.epoch >> since.offset) options.since = since;
    (void)session.subscribe(topic, options);
}

inline void ClusterRun::look() {
    for (Person& person : people_) {
        if (!person.client) continue;
        auto const& received = person.client->received();
        for (; person.looked_at < received.size(); ++person.looked_at) read(person, received[person.looked_at].payload);
        if (person.client->ended() || person.client->is_closed()) person.client.reset();
    }
}

inline void ClusterRun::read(Person& person, std::string const& line) {
    std::istringstream words(line);
    std::string kind, name, text;
    Position position;
    words >> kind >> name >> position.epoch >> position.offset >> text;
    std::size_t const topic = number_of(name);
    Known& known = person.known[topic];
    if (kind == "S") return begin(known, topic, position, text);
    // Of what does not remember the first may come in the turn in which it is told.
    expect(!known.is_new || !remembers(topic), "a publication before it was told where it begins: " + line);
    if (remembers(topic) && position.epoch)
        hear_remembered(known, topic, position, text);
    else
        hear_plain(known, topic, text);
}

inline void ClusterRun::begin(Known& known, std::size_t topic, Position position, std::string const& how) {
    bool const was_new = std::exchange(known.is_new, false);
    if (!was_new) known.last.clear();
    if (how == "1") {
        ++recovered_;
        expect(was_new ? known.asked == position : known.position == position, "recovered, but not from where it had been");
    } else if (!was_new) {
        ++lost_;
    }
    if (remembers(topic)) known.position = position;
}

inline void ClusterRun::hear_remembered(Known& known, std::size_t topic, Position position, std::string const& text) {
    std::string const where =
        name_of(topic) + ' ' + std::to_string(position.epoch) + ' ' + std::to_string(position.offset) + ' ' + text;
    auto const place = placed_[topic].find(position);
    expect(place != placed_[topic].end() && place->second == text, "that was not published there: " + where);
    expect(known.position->epoch == position.epoch, "another epoch, and nobody has said so: " + where);
    expect(position.offset == known.position->offset + 1, "a hole, a double, or another order: " + where);
    known.position = position;
}

/// What comes without a place: of each node in its order, and all of it since the client was told last.
inline void ClusterRun::hear_plain(Known& known, std::size_t topic, std::string const& text) {
    std::string const what = name_of(topic) + ' ' + text;
    expect(published_.contains(what), "nobody has published " + what);
    if (remembers(topic)) return;  // while the broker is away
    auto const node = static_cast<std::size_t>(text[0] - '0');
    auto const number = static_cast<std::uint64_t>(std::stoul(text.substr(2)));
    auto const last = known.last.find(node);
    if (last != known.last.end()) {
        expect(number > last->second, "a double, or another order: " + what);
        for (std::uint64_t missed = last->second + 1; missed < number; ++missed) {
            Published const& skipped = published_[name_of(topic) + ' ' + std::to_string(node) + '.' + std::to_string(missed)];
            expect(skipped.is_refused || nodes_[node].hub->backplane().failed > 0 || topic % 2, "a silent hole before " + what);
        }
    }
    known.last[node] = number;
}

inline void ClusterRun::finish() {
    for (auto& broker : brokers_) {
        broker->is_up = true;
        for (sim_broker::Link* const link : broker->links) {
            link->is_cut_off = false;
            if (link->is_deaf) link->cut();
        }
    }
    settle();
    pass(2s);
    settle();
    look();
    for (Person& person : people_)
        if (!person.client) connect(person, pick(nodes_.size()));
    settle();
    pass(2s);
    settle();
    look();
    for (Person const& person : people_)  // without anything new that would show a hole
        for (std::size_t topic = 0; topic < topics; ++topic)
            if (Known const& known = person.known[topic];
                remembers(topic) && known.wanted && !known.is_new && !placed_[topic].empty())
                expect(known.position >= std::prev(placed_[topic].end())->first,
                       "what was missed has not come of " + name_of(topic));
    for (std::size_t node = 0; node < nodes_.size(); ++node)
        for (std::size_t topic = 0; topic < topics; ++topic)
            for (bool is_accepted = false; !is_accepted; settle()) {  // a mailbox may be full
                std::string const text = std::to_string(node) + '.' + std::to_string(++nodes_[node].published[topic]);
                publish(node, topic, text);
                is_accepted = !published_[name_of(topic) + ' ' + text].is_refused;
            }
    pass(1s);
    settle();
    look();
    for (auto const& [what, published] : published_)
        expect(!published.has_receipt || published.is_refused || published.is_told, "never told what became of " + what);
    for (Person& person : people_) {
        expect(person.client.has_value(), "somebody cannot stay connected");
        for (std::size_t topic = 0; topic < topics; ++topic) {
            Known const& known = person.known[topic];
            if (!known.wanted) continue;
            expect(!known.is_new, "never told where it begins");
            if (remembers(topic)) {
                Position const last = std::prev(placed_[topic].end())->first;
                expect(known.position == last, "the end has not come of " + name_of(topic) + ": " +
                                                   std::to_string(known.position->offset) + " of " +
                                                   std::to_string(last.offset));
            } else {
                for (std::size_t node = 0; node < nodes_.size(); ++node) {
                    auto const found = known.last.find(node);
                    expect(found != known.last.end() && found->second == nodes_[node].published[topic],
                           "the end has not come of " + name_of(topic));
                }
            }
        }
    }
    look_who_is_there();
    for (Node const& node : nodes_) {
        BackplaneSnapshot const snapshot = node.hub->backplane();
        expect(snapshot.continuous && snapshot.apart == 0 && snapshot.waiting_messages == 0, "a node is not whole at the end");
    }
}

/// On each node where somebody is subscribed the list has everybody, of all nodes.
inline void ClusterRun::look_who_is_there() {
    for (std::size_t i = 0; i < 80; ++i) {
        pass(100ms);
        settle();
    }
    for (std::size_t topic = 0; topic < topics; topic += 2) {
        std::size_t count = 0;
        std::set<std::size_t> nodes;
        for (Person const& person : people_) {
            if (!person.known[topic].wanted) continue;
            ++count;
            nodes.insert(person.node);
        }
        for (std::size_t const node : nodes) {
            std::optional<PresencePage> page;
            nodes_[node].hub->read_presence(name_of(topic), 100, [&](PresencePage const& found) { page = found; });
            settle();
            expect(page && page->known, "nobody knows who is there");
            expect(page->sessions == count && page->members.size() == count,
                   "there are " + std::to_string(count) + ", and node " + std::to_string(node) + " knows " +
                       std::to_string(page->sessions) + " in " + name_of(topic));
        }
    }
}

}  // namespace cluster_simulation
