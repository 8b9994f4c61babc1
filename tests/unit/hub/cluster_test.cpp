// Hubs that a broker makes one: see tests/simulation/cluster_run.hpp for everything that can go wrong at once.
#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <hubbub/hub/hub.hpp>
#include <hubbub/testing/simulation.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/sim_broker.hpp"

namespace cluster_test {

using namespace hubbub;
using namespace std::chrono_literals;
using Words = std::vector<std::string>;

/// "kept" remembers, "strict" too and refuses what it cannot tell all nodes; "who" knows its members, and "kept who" does both.
struct Topics {
    TopicOptions options_for(std::string_view name) const {
        if (name == "kept") return {.history = {.messages = 5}};
        if (name == "strict") return {.history = {.messages = 5}, .when_apart = WhenApart::refuse};
        if (name == "who") return {.presence = {.kept = true, .lease = 5s}};
        if (name == "kept who") return {.history = {.messages = 5}, .presence = {.kept = true, .lease = 5s}};
        return {};
    }
};
/// "/NAME" is the user NAME.
struct ByTarget {
    void authenticate(http::Request const& request, PeerAddress const&, Verdict<Authenticated> verdict) {
        verdict.answer(Authenticated::as({std::string(request.target().substr(1)), {}, {}}));
    }
};
struct Places : SilentCodec {
    Frame publication(PublicationInfo const& info, MessageView message) const {
        std::string text(message.view());
        if (info.remembered) text += '@' + std::to_string(info.position.offset);
        return Frame::text(text);
    }
};
struct Noted {
    Words* events;
    void on_event(Event const& event) noexcept {
        if (!event.name.starts_with("session_")) events->push_back(std::string(event.name) + ' ' + std::string(event.detail));
    }
};
struct Policy : DefaultPolicy {
    using Auth = ByTarget;
    using Topics = cluster_test::Topics;
    using Codec = Places;
    using EventSink = Noted;
    using Backplane = sim_broker::SimBackplane;
};
using SessionType = Session<MemoryConnection, Policy>;
struct OnLost {
    std::function<void(SessionType&)> function = [](SessionType&) {};
};
struct OnClose {
    std::function<void(SessionType&)> function = [](SessionType&) {};
};
struct Hooks : NoopHandler {
    void on_message(auto& session, MessageView message) {
        std::string_view const text = message.view();
        if (text == "back") return void(session.subscribe("kept", {.since = *last}));
        if (text.starts_with("name "))  // published under a name of its own, to the topic that remembers
            return void(
                session.publish("kept", MessageView::text(text.substr(5)), {.id = std::hash<std::string_view>()(text)}));
        if (!text.starts_with("say ")) return void(session.subscribe(text, {.newest = 100}));
        std::string_view const topic = text.substr(4, text.find(' ', 4) - 4);
        if (session.publish(topic, text.substr(5 + topic.size())) == PublishResult::apart) session.send("apart");
    }
    void on_subscribed(auto& session, Subscription const& told) {
        *last = told.position;
        session.send(told.recovered ? "recovered" : "in");
    }
    void on_continuity_lost(auto& session, Subscription const& told) {
        session.send("lost" + (told.remembered ? '@' + std::to_string(told.position.offset) : std::string()));
        on_lost->function(session);
    }
    void on_close(auto& session, CloseInfo const&) { closed->function(session); }
    std::shared_ptr<Position> last = std::make_shared<Position>();
    std::shared_ptr<OnLost> on_lost = std::make_shared<OnLost>();
    std::shared_ptr<OnClose> closed = std::make_shared<OnClose>();
};

CloseCode code_of(testing::Client const& client) {
    return client.close_seen() ? client.close_seen()->code : CloseCode::no_status;
}

/// Two nodes with two shards each, and their broker.
struct Cluster {
    using HubType = Hub<MemoryConnection, Policy>;

    explicit Cluster(OutboxLimits outbox = {}) {
        broker.now = [this] { return sim.now(); };
        broker.pick = [this](std::size_t end) { return static_cast<std::size_t>(sim.pick(end)); };
        for (std::size_t node = 0; node < 2; ++node) start(node, outbox);
        settle();
        pass(100ms);  // so that what follows was not before they began
    }
    ~Cluster() {
        for (auto& hub : hubs) hub.reset();
        settle();
    }
    void start(std::size_t node, OutboxLimits outbox = {}) {
        auto const loops = sim.loops().subspan(node * 3, 3);
        HubOptions<Policy> options;
        options.backplane = {.at = {&broker}, .loop_of_node = static_cast<ManualLoop*>(loops[2])};
        options.outbox = outbox;
        options.events.events = &events;
        Hooks hooks;
        hooks.last = last;
        hooks.on_lost = on_lost;
        hooks.closed = closed;
        options.seed = 1 + node + 10 * ++starts;
        hubs[node] = std::make_unique<HubType>(loops.first(2), hooks, std::move(options));
    }
    testing::Client connect(std::size_t node, std::string const& user = "") {
        testing::ClientOptions options;
        options.target = "/" + user;
        options.shard = starts++ % 2;
        auto client = sim.connect(*hubs[node], options);
        settle();
        return client;
    }
    testing::Client subscribed(std::size_t node, std::string const& topic, std::string const& user = "") {
        auto client = connect(node, user);
        say(client, topic);
        return client;
    }
    void say(testing::Client& client, std::string const& text) {
        client.send_text(text);
        settle();
    }
    void settle() {
        for (std::size_t most = 100'000; sim.step() || broker.step();) REQUIRE(--most);
    }
    void pass(std::chrono::milliseconds time) {
        for (; time.count() > 0; time -= 100ms) {
            sim.run_for(100ms);
            settle();
        }
    }
    /// What a client was told since it was asked last.
    Words news(testing::Client const& client) {
        Words words;
        auto const& received = client.received();
        for (std::size_t& at = read[&client.wire()]; at < received.size(); ++at) words.push_back(received[at].payload);
        return words;
    }
    sim_broker::Link& link(std::size_t node) {
        for (sim_broker::Link* const each : broker.links)
            if (each->loop() == sim.loops()[node * 3 + 2]) return *each;
        throw std::logic_error("that node has no link");
    }
    void cut_off(std::size_t node) {
        link(node).is_cut_off = true;
        link(node).cut();
        settle();
    }
    void let_back(std::size_t node) {
        link(node).is_cut_off = false;
        settle();
    }

    testing::Simulation sim{1, 6};
    sim_broker::Broker broker;
    std::shared_ptr<Position> last = std::make_shared<Position>();
    std::shared_ptr<OnLost> on_lost = std::make_shared<OnLost>();
    std::shared_ptr<OnClose> closed = std::make_shared<OnClose>();
    Words events;
    std::size_t starts = 0;
    std::map<MemoryWire const*, std::size_t> read;
    std::unique_ptr<HubType> hubs[2];
};

TEST_CASE("Cluster: what is published on one node comes to the subscribers of all, once") {
    Cluster both;
    auto a = both.subscribed(0, "room"), b = both.subscribed(1, "room");
    both.say(a, "say room one");
    both.say(b, "say room two");
    CHECK(both.news(a) == Words{"in", "one", "two"});
    CHECK(both.news(b) == Words{"in", "one", "two"});
    BackplaneSnapshot const node = both.hubs[0]->backplane();
    CHECK((node.continuous && node.ready == 1 && node.published == 1 && node.received == 1 && node.waiting_messages == 0));
}

TEST_CASE("Cluster: a hub is not continuous before its broker is there, also while it has not begun to look for it") {
    Cluster both;
    both.start(0);  // instead of the first one
    CHECK((!both.hubs[0]->backplane().continuous && both.hubs[0]->backplane().brokers == 1));
    both.settle();
    CHECK(both.hubs[0]->backplane().continuous);
}

TEST_CASE("Cluster: a topic that remembers has one order, and whoever comes back finds it on any node") {
    Cluster both;
    auto a = both.subscribed(0, "kept"), b = both.subscribed(1, "kept");
    for (auto const* text : {"1", "2"}) both.say(a, std::string("say kept ") + text);
    both.say(b, "say kept 3");
    CHECK(both.news(a) == Words{"in", "1@1", "2@2", "3@3"});
    CHECK(both.news(b) == Words{"in", "1@1", "2@2", "3@3"});

    SECTION("a node where nobody was before") {
        both.hubs[1].reset();
        both.settle();
        both.start(1);
        both.settle();
        auto c = both.connect(1);
        both.last->offset = 1;
        both.say(c, "back");
        CHECK(both.news(c) == Words{"recovered", "2@2", "3@3"});
    }
    SECTION("what is forgotten is said") {
        for (int i = 4; i < 10; ++i) both.say(a, "say kept " + std::to_string(i));
        both.last->offset = 1;
        auto c = both.connect(1);
        both.say(c, "back");
        CHECK(both.news(c) == Words{"in"});
    }
}

TEST_CASE("Cluster: a node where nobody is subscribed reads what a topic remembers") {
    Cluster both;
    auto a = both.subscribed(0, "kept");
    for (auto const* text : {"1", "2"}) both.say(a, std::string("say kept ") + text);
    auto const read = [&] {
        auto const page = std::make_shared<std::optional<HistoryPage>>();  // it may come later
        both.hubs[1]->read_history("kept", {}, [page](HistoryPage const& found) { *page = found; });
        both.settle();
        return *page;
    };
    auto page = read();
    REQUIRE(page);
    CHECK(page->newest.offset == 2);
    CHECK(page->messages.size() == 2);
    both.pass(20s);  // it is not kept for that
    CHECK(both.hubs[1]->snapshot(0).topics + both.hubs[1]->snapshot(1).topics == 1);
    both.say(a, "say kept 3");
    page = read();
    REQUIRE(page);
    CHECK(page->messages.size() == 3);

    both.pass(20s);
    both.cut_off(1);
    page = read();
    CHECK(!page);  // for a moment it is waited for
    both.pass(5s);
    page = read();
    REQUIRE(page);
    CHECK(page->messages.empty());
}

TEST_CASE("Cluster: a publisher is told the broker's place") {
    Cluster both;
    auto a = both.subscribed(0, "kept");
    std::vector<PublishReceipt> receipts;
    for (std::uint64_t const id : {std::uint64_t{7}, std::uint64_t{7}, std::uint64_t{8}})
        for (std::size_t const node : {0u, 1u}) {
            both.hubs[node]->publish("kept", Frame::text("x"), {.id = id, .on_receipt = [&](PublishReceipt const& receipt) {
                                                                    receipts.push_back(receipt);
                                                                }});
            both.settle();
        }
    REQUIRE(receipts.size() == 6);
    for (std::size_t i = 0; i < 6; ++i) {
        CHECK(receipts[i].remembered);
        CHECK(receipts[i].position.offset == (i < 4 ? 1 : 2));
        CHECK(receipts[i].repeated == (i != 0 && i != 4));
    }
    CHECK(both.news(a) == Words{"in", "x@1", "x@2"});
}

TEST_CASE("Cluster: the operator is told of topics whose members may have missed something, and not of the hub's own") {
    Cluster both;
    auto a = both.subscribed(0, "room", "ada"), b = both.subscribed(1, "room");
    both.cut_off(0);
    both.let_back(0);
    both.pass(5s);
    CHECK(std::count(both.events.begin(), both.events.end(), "continuity_lost room") == 1);
    for (std::string const& event : both.events) CHECK(event.find('\0') == std::string::npos);
}

TEST_CASE("Cluster: local delivery does not wait for a broker that is away") {
    Cluster both;
    auto a = both.subscribed(0, "room"), b = both.subscribed(1, "room");
    auto k = both.subscribed(0, "kept"), l = both.subscribed(1, "kept");
    auto s = both.subscribed(0, "strict");
    both.cut_off(0);
    CHECK(!both.hubs[0]->backplane().continuous);
    both.say(a, "say room now");
    both.say(k, "say kept soon");
    CHECK(both.news(a) == Words{"in", "now"});
    CHECK(both.news(k) == Words{"in"});  // a moment it is waited for, because it has the order
    both.say(s, "say strict never");
    both.pass(4s);
    CHECK(both.news(k) == Words{"soon"});
    CHECK(both.news(s) == Words{"in"});
    CHECK(both.hubs[0]->backplane().apart == 1);
    both.say(k, "say kept later");
    CHECK(both.news(k) == Words{"later"});
    both.say(s, "say strict never");
    CHECK(both.news(s) == Words{"apart"});
    auto fresh = both.subscribed(0, "kept");
    CHECK(both.news(fresh) == Words{"in"});
    both.let_back(0);
    CHECK(both.news(a) == Words{"lost"});
    CHECK(both.news(b) == Words{"in", "now"});
    CHECK(both.news(l) == Words{"in", "soon@1", "later@2"});
    CHECK(both.news(k) == Words{"lost@2"});  // it has both, but not their places
    CHECK(both.news(s).empty());
    CHECK(both.hubs[0]->backplane().continuous);
    both.say(l, "say kept whole");
    CHECK(both.news(k) == Words{"whole@3"});
    CHECK(both.news(fresh) == Words{"lost@2", "whole@3"});
}

TEST_CASE("Cluster: what comes while a broker is given up keeps its order") {
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        CAPTURE(seed);
        Cluster both;
        for (std::uint64_t i = 0; i < seed; ++i) both.sim.pick(2);
        auto const listener = both.subscribed(0, "kept");
        testing::ClientOptions options;
        options.target = "/";
        options.shard = seed % 2;
        options.latency = OutboxLimits{}.patience;  // what it says now comes at that moment
        options.largest_piece = 40;
        auto speaker = both.sim.connect(*both.hubs[0], options);
        both.pass(10s);
        both.cut_off(0);
        both.news(listener);
        Words all;
        for (int i = 0; i < 30; ++i) {
            all.push_back(std::to_string(i));
            speaker.send_text("say kept " + all.back());
        }
        both.pass(4s);
        CHECK(both.news(listener) == all);
    }
}

TEST_CASE("Cluster: what the broker had before it was away does not come again to who has got it meanwhile") {
    Cluster both;
    auto k = both.subscribed(0, "kept");
    CHECK(both.news(k) == Words{"in"});
    for (int round = 1; round <= 12; ++round) {  // what the broker answers first is by chance
        std::string const number = std::to_string(round);
        bool const is_named = round % 3 != 0;
        k.send_text((is_named ? "name " : "say kept ") + number);
        while (both.sim.step()) {}
        while (both.broker.topic("kept").offset != static_cast<std::uint64_t>(round)) both.link(0).step();
        both.cut_off(0);  // with the answer on its way
        both.pass(4s);
        CHECK(both.news(k) == Words{number});
        both.let_back(0);
        CHECK(both.news(k) == Words{"lost@" + number});  // it has it, but not its place
    }
}

TEST_CASE("Cluster: what was missed while the link was down comes behind it, or is said to be lost") {
    Cluster both;
    auto a = both.subscribed(0, "kept"), b = both.subscribed(1, "kept");
    SECTION("a moment") {
        both.cut_off(1);
        both.say(a, "say kept 1");
        CHECK(both.news(b) == Words{"in"});
        both.let_back(1);
        CHECK(both.news(b) == Words{"1@1"});
    }
    SECTION("a subscription that was dead while all looked well") {
        both.link(1).is_deaf = true;
        both.say(a, "say kept 1");
        CHECK(both.news(b) == Words{"in"});
        both.link(1).cut();
        both.settle();
        CHECK(both.news(b) == Words{"1@1"});
    }
    SECTION("too much") {
        both.cut_off(1);
        for (int i = 1; i < 9; ++i) both.say(a, "say kept " + std::to_string(i));
        both.let_back(1);
        CHECK(both.news(b) == Words{"in", "lost@3", "4@4", "5@5", "6@6", "7@7", "8@8"});
    }
    SECTION("a broker that has forgotten everything") {
        both.say(a, "say kept 1");
        both.broker.forget_everything();
        both.say(a, "say kept 2");
        CHECK(both.news(b) == Words{"in", "1@1", "lost@0", "2@1"});
    }
}

TEST_CASE("Cluster: who comes from a node that has heard more gets what is behind it, and nothing twice") {
    Cluster both;
    auto a = both.subscribed(0, "kept"), b = both.subscribed(1, "kept");
    both.link(1).is_deaf = true;
    SECTION("the broker is there") {
        for (std::uint64_t offset = 1; offset < 5; ++offset) {  // on each shard of the node
            both.say(a, "say kept " + std::to_string(offset));
            auto c = both.connect(1);
            both.last->offset = offset;
            both.say(c, "back");
            CHECK(both.news(c) == Words{"recovered"});
        }
        CHECK(both.news(b) == Words{"in", "1@1", "2@2", "3@3", "4@4"});
    }
    SECTION("the link is down") {
        both.say(a, "say kept 1");
        both.cut_off(1);
        std::vector<testing::Client> back;
        for (int i = 0; i < 2; ++i) {
            back.push_back(both.connect(1));
            both.last->offset = 1;
            both.say(back.back(), "back");
            CHECK(both.news(back.back()).empty());
        }
        bool const in_time = GENERATE(true, false);
        if (in_time) {
            both.let_back(1);
            both.say(a, "say kept 2");
            for (auto& each : back) CHECK(both.news(each) == Words{"recovered", "2@2"});
        } else {
            both.pass(4s);
            for (auto& each : back) CHECK(both.news(each) == Words{"in"});
            both.let_back(1);
            for (auto& each : back) CHECK(both.news(each) == Words{"1@1"});
        }
    }
}

TEST_CASE("Cluster: so much waits for a broker that is away, and what is dropped is counted and told") {
    auto const full = GENERATE(OutboxLimits::Full::drop_newest, OutboxLimits::Full::drop_oldest);
    Cluster both({.messages = 3, .on_full = full});
    auto b = both.subscribed(1, "kept");
    both.cut_off(0);
    std::map<std::string, PublishFailure> told;
    for (std::string const text : {"1", "2", "3", "4", "5"})
        both.hubs[0]->publish("kept", Frame::text(text),
                              {.on_receipt = [&told, text](PublishReceipt const& receipt) { told[text] = receipt.failure; }});
    both.settle();
    CHECK(told.size() == 2);
    CHECK(both.hubs[0]->backplane().failed == 2);
    both.let_back(0);
    CHECK(told.size() == 5);
    bool const newest = full == OutboxLimits::Full::drop_newest;
    CHECK(both.news(b) == (newest ? Words{"in", "1@1", "2@2", "3@3"} : Words{"in", "3@1", "4@2", "5@3"}));
    CHECK(told[newest ? "5" : "1"] == PublishFailure::full);
    CHECK(told["3"] == PublishFailure::none);
}

TEST_CASE("Cluster: each node knows who is there on all") {
    Cluster both;
    auto const there = [&](std::size_t node) {
        std::string names;
        std::set<std::string> users;
        both.hubs[node]->read_presence("who", 10, [&](PresencePage const& page) {
            for (auto const& member : page.members) users.insert(member.user);
            names = std::to_string(page.sessions) + ':';
        });
        both.settle();
        for (auto const& user : users) names += ' ' + user;
        return names;
    };
    auto a = both.subscribed(0, "who", "ann"), b = both.subscribed(1, "who", "bob");
    both.pass(500ms);
    CHECK(there(0) == "2: ann bob");
    CHECK(there(1) == "2: ann bob");
    auto c = both.subscribed(1, "who", "cid");
    both.pass(500ms);
    CHECK(there(0) == "3: ann bob cid");

    SECTION("somebody leaves") {
        c.reset();
        both.pass(500ms);
        CHECK(there(0) == "2: ann bob");
    }
    SECTION("what was missed is asked for") {
        both.cut_off(0);
        c.reset();
        auto d = both.subscribed(1, "who", "dan");
        both.pass(1s);
        both.let_back(0);
        both.pass(2s);
        CHECK(there(0) == "3: ann bob dan");
        CHECK(there(1) == "3: ann bob dan");
    }
    SECTION("a node dies") {
        both.hubs[1].reset();
        both.settle();
        CHECK(there(0) == "3: ann bob cid");
        both.pass(6s);
        CHECK(there(0) == "1: ann");
    }
}

TEST_CASE("Cluster: a drain waits until the broker has what was published, also by who was closed") {
    Cluster both;
    auto b = both.subscribed(1, "kept");
    auto first = both.connect(0, "ann"), second = both.connect(0, "bob");  // on both shards
    both.closed->function = [&both](SessionType& session) {
        both.hubs[0]->publish("kept", Frame::text(session.identity().user + " has gone"));
        both.hubs[0]->publish("loud", Frame::text("gone"));
    };
    auto c = both.subscribed(1, "loud");
    both.hubs[0]->publish("kept", Frame::text("last words"));
    int done = 0;
    both.hubs[0]->drain({}, [&] { ++done; });
    both.hubs[0]->drain({}, [&] { ++done; });
    both.sim.run_for(2s);  // the broker does nothing meanwhile
    CHECK(first.close_seen());
    CHECK(second.close_seen());
    CHECK(both.broker.topic("kept").offset == 0);
    CHECK(done == 0);
    both.settle();
    CHECK(done == 2);
    CHECK(both.broker.topic("kept").offset == 3);
    CHECK(both.news(c) == Words{"in", "gone", "gone"});
    CHECK(both.hubs[0]->backplane().waiting_messages == 0);
    CHECK(std::ranges::count(both.events, "drain_unpublished ") == 0);
    both.hubs[0]->drain({}, [&] { ++done; });
    both.settle();
    CHECK(done == 3);
}

TEST_CASE("Cluster: a drain does not wait for a broker for longer than it may, and says what is not published") {
    Cluster both;
    auto b = both.subscribed(1, "kept");
    both.cut_off(0);
    for (auto const* text : {"1", "2"}) both.hubs[0]->publish("kept", Frame::text(text));
    bool done = false;
    both.hubs[0]->drain({.deadline = 4s}, [&] { done = true; });
    both.pass(3s);
    CHECK_FALSE(done);
    SECTION("it stays away") {
        both.pass(1500ms);
        CHECK(done);
        CHECK(both.hubs[0]->backplane().waiting_messages == 2);
        CHECK(std::ranges::count(both.events, "drain_unpublished ") == 1);
    }
    SECTION("it comes back in time") {
        both.let_back(0);
        CHECK(done);
        CHECK(both.news(b) == Words{"in", "1@1", "2@2"});
        CHECK(std::ranges::count(both.events, "drain_unpublished ") == 0);
    }
    SECTION("the hub is destroyed meanwhile") {
        both.hubs[0].reset();
        both.settle();
        CHECK(done);
    }
}

TEST_CASE("Cluster: who was on a node that has drained is gone from the lists of others") {
    Cluster both;
    auto a = both.subscribed(0, "who", "ann"), b = both.subscribed(1, "who", "bob");
    both.pass(500ms);
    auto const there = [&] {
        std::size_t sessions = 0;
        both.hubs[1]->read_presence("who", 0, [&](PresencePage const& page) { sessions = page.sessions; });
        both.settle();
        return sessions;
    };
    REQUIRE(there() == 2);
    both.hubs[0]->drain({}, [&] { both.sim.loops()[0]->post([&] { both.hubs[0].reset(); }); });
    for (int i = 0; i < 100 && both.hubs[0]; ++i) both.pass(100ms);
    REQUIRE_FALSE(both.hubs[0]);
    CHECK(there() == 1);
}

TEST_CASE("Cluster: a node where nobody is subscribed asks the others who is there") {
    std::string const topic = GENERATE("who", "kept who");  // one that remembers does not know it sooner
    Cluster both;
    auto b = both.subscribed(1, topic, "bob"), c = both.subscribed(1, topic, "cid");
    both.pass(500ms);
    int told = 0;
    PresencePage page;
    auto const ask = [&] {
        both.hubs[0]->read_presence(topic, 10, [&](PresencePage const& answer) {
            ++told;
            page = answer;
        });
        both.settle();
    };
    SECTION("and answers when they have had time for it") {
        ask();
        CHECK(told == 0);
        both.pass(1600ms);
        REQUIRE(told == 1);
        CHECK(page.known);
        CHECK(page.sessions == 2);
        CHECK(page.members.size() == 2);
        ask();  // it still listens
        CHECK(told == 2);
        CHECK(page.sessions == 2);
        c.reset();
        both.pass(500ms);
        ask();
        CHECK(page.sessions == 1);
        both.pass(8s);  // nobody has asked for long
        CHECK(both.link(0).subscribed.count(topic) == 0);
        ask();
        both.pass(1600ms);
        CHECK(told == 4);
        CHECK(page.sessions == 1);
    }
    SECTION("and does not know it while its broker is away") {
        both.cut_off(0);
        ask();
        both.pass(1600ms);
        CHECK(told == 1);
        CHECK_FALSE(page.known);
        both.let_back(0);
        both.pass(200ms);
        ask();
        both.pass(1600ms);
        CHECK(told == 2);
        CHECK(page.sessions == 2);
    }
    SECTION("and whoever asks twice is answered twice") {
        ask();
        ask();
        both.pass(1600ms);
        CHECK(told == 2);
        CHECK(page.sessions == 2);
    }
    SECTION("and a topic without presence is not asked about") {
        both.hubs[0]->read_presence("news", 10, [&](PresencePage const& answer) { told += !answer.known; });
        both.settle();
        CHECK(told == 1);
    }
}

TEST_CASE("Cluster: what a user may no longer have ends on all nodes, and on one that was cut off when it is back") {
    Cluster both;
    auto a = both.connect(0, "ann"), b = both.connect(1, "ann"), other = both.connect(1, "bob");
    SECTION("at once") {
        both.hubs[0]->revoke(Target::user("ann"), "left");
        both.settle();
        CHECK(code_of(a) == CloseCode::identity_revoked);
        CHECK(code_of(b) == CloseCode::identity_revoked);
        CHECK(b.close_seen()->reason == "left");
        CHECK(!other.close_seen());
        auto again = both.connect(1, "ann");  // the authentication has let her in anew
        CHECK(!again.close_seen());
        both.hubs[1].reset();
        both.settle();
        both.pass(1s);
        both.broker.is_up = !GENERATE(false, true);
        both.start(1);
        both.pass(5s);
        auto later = both.connect(1, "ann");
        both.broker.is_up = true;  // only now it hears what was said before it began
        both.pass(1s);
        CHECK(!later.close_seen());
    }
    SECTION("when it is back") {
        both.cut_off(1);
        both.hubs[0]->revoke(Target::user("ann"));
        both.pass(5s);
        CHECK(!b.close_seen());
        both.let_back(1);
        CHECK(code_of(b) == CloseCode::identity_revoked);
    }
    SECTION("by the node that is cut off") {
        both.cut_off(0);
        both.hubs[0]->revoke(Target::user("ann"));
        both.pass(5s);
        CHECK(a.close_seen());
        CHECK(!b.close_seen());
        both.let_back(0);
        CHECK(b.close_seen());
    }
    SECTION("closed, or a subscription taken away") {
        both.say(b, "room");
        both.hubs[0]->unsubscribe(Target::user("ann"), "room");
        both.settle();
        both.say(other, "say room x");
        CHECK(both.news(b) == Words{"in"});
        both.hubs[0]->close(Target::user("ann"), CloseCode::policy_violation, "no");
        both.settle();
        CHECK(code_of(b) == CloseCode::policy_violation);
    }
}

TEST_CASE("Cluster: messages to a user reach all of his sessions, wherever they are") {
    Cluster both;
    auto a = both.connect(0, "ann"), b = both.connect(1, "ann"), other = both.connect(1, "bob");
    both.hubs[0]->publish(Target::user("ann"), Frame::text("you"));
    both.settle();
    both.hubs[1]->publish(Target::all(), Frame::text("all"));
    both.settle();
    CHECK(both.news(a) == Words{"you", "all"});
    CHECK(both.news(b) == Words{"you", "all"});
    CHECK(both.news(other) == Words{"all"});
}

TEST_CASE("Cluster: what makes no sense on a topic's channel is counted, and takes its place") {
    Cluster both;
    auto a = both.subscribed(0, "kept");
    HistoryLimits const limits{.messages = 5};
    both.broker.place({.topic = "kept", .body = "garbage", .serial = 1, .history = &limits}, 4711);
    both.settle();
    both.say(a, "say kept x");
    CHECK(both.news(a) == Words{"in", "x@2"});
    CHECK(both.hubs[0]->backplane().malformed > 0);
}

TEST_CASE("Cluster: a hook that hears of a loss may do what any other may") {
    auto const what = GENERATE("publish", "out", "again", "close", "end the hub");
    INFO(what);
    Cluster both;
    auto a = both.subscribed(0, "room"), b = both.subscribed(0, "room");
    both.on_lost->function = [&both, what = std::string(what)](auto& session) {
        if (what == "publish") session.publish("room", "x");
        if (what == "out") session.unsubscribe("room");
        if (what == "again") session.unsubscribe("room"), session.subscribe("room");
        if (what == "close") session.close(CloseCode::policy_violation);
        if (what == "end the hub") both.hubs[0].reset();
    };
    both.cut_off(0);
    both.let_back(0);
    if (what == std::string("publish")) CHECK(both.news(a) == Words{"in", "lost", "x", "x"});
    if (what == std::string("out")) {
        both.hubs[0]->publish("room", Frame::text("nobody"));
        both.settle();
        CHECK(both.news(b) == Words{"in", "lost"});
    }
    if (what == std::string("again")) CHECK(both.news(b) == Words{"in", "lost", "in"});
    if (what == std::string("close")) CHECK(code_of(b) == CloseCode::policy_violation);
    if (what == std::string("end the hub")) CHECK(b.is_closed());
}

}  // namespace cluster_test
