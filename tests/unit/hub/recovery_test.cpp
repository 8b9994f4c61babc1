// Topics that remember: what who comes back gets.
#include <string>
#include <vector>

#include "tests/unit/hub/memory_world.hpp"

namespace recovery_test {

using namespace memory_world;
using namespace std::chrono_literals;

struct Numbered : SilentCodec {
    Frame publication(PublicationInfo const& info, MessageView message) const {
        return Frame::text(std::to_string(info.position.offset) + (info.remembered ? " " : " of nothing ") +
                           std::string(message.view()));
    }
};
struct Remembering : DefaultPolicy {
    using Topics = TopicsByName;
};
struct RememberingNumbers : Remembering {
    using Codec = Numbered;
};

template <class Policy>
HubOptions<Policy> remembers(TopicOptions orders) {
    HubOptions<Policy> options;
    options.topics.names = {{"orders", orders}};
    return options;
}

/// Subscribes to "orders" when told "in", or "since EPOCH OFFSET", or "newest N".
template <HubPolicy Policy>
struct Orders : NoopHandler {
    struct State {
        Position position;
        std::vector<Subscription> told;
        std::function<void(Session<MemoryConnection, Policy>&)> subscribed = [](auto&) {};
    };
    std::shared_ptr<State> state = std::make_shared<State>();

    void on_message(auto& session, MessageView message) {
        std::string const text(message.view());
        SubscribeOptions options;
        if (text.starts_with("since "))
            options.since = Position{state->position.epoch, std::stoull(text.substr(6))};
        else if (text.starts_with("newest "))
            options.newest = static_cast<std::uint32_t>(std::stoul(text.substr(7)));
        else if (text == "strange")
            options.since = Position{state->position.epoch + 1, 0};
        else if (text == "out")
            return void(session.unsubscribe("orders"));
        session.subscribe("orders", options);
    }
    void on_subscribed(auto& session, Subscription const& told) {
        session.send("at " + std::to_string(told.position.offset) + (told.recovered ? " recovered" : ""));
        state->position = told.position;
        state->told.push_back(told);
        state->subscribed(session);
    }
};

template <HubPolicy Policy = Remembering>
struct Shop : World<Orders<Policy>, Policy> {
    explicit Shop(HistoryLimits history, std::size_t shards, HubOptions<Policy> options = {})
        : Shop(Orders<Policy>{}, history, shards, std::move(options)) {}
    Shop(Orders<Policy> handler, HistoryLimits history, std::size_t shards, HubOptions<Policy> options)
        : World<Orders<Policy>, Policy>(handler, shards, with(std::move(options), history)), state(handler.state) {}
    static HubOptions<Policy> with(HubOptions<Policy> options, HistoryLimits history) {
        options.topics.names = {{"orders", {.history = history}}};
        return options;
    }
    void publish(std::string const& text, PublishOptions options = {}) {
        CHECK(this->hub.publish("orders", Frame::text(text), std::move(options)) == PublishResult::accepted);
        this->run();
    }
    HistoryPage read(HistoryQuery query) {
        HistoryPage result;
        this->hub.read_history("orders", query, [&](HistoryPage const& page) { result = page; });
        this->run();
        return result;
    }
    std::shared_ptr<typename Orders<Policy>::State> state;
};

struct Reader : NoopHandler {
    void on_message(auto& session, MessageView) {
        session.read_history("orders", {.most = 2, .newest_first = true}, [](auto& reader, HistoryPage const& page) {
            for (auto const& message : page.messages) reader.send(message.frame);
        });
    }
};

struct Eager : NoopHandler {
    void on_message(auto& session, MessageView message) {
        SubscribeOptions options;
        if (message.view() == "from elsewhere") options.since = Position{7, 3};
        session.subscribe("orders", options);
        session.publish("orders", message);
    }
    void on_subscribed(auto& session, Subscription const& told) { session.send(told.recovered ? "recovered" : "new"); }
};

struct ReadsAtOnce : NoopHandler {
    void on_message(auto& session, MessageView message) {
        session.subscribe("orders");
        session.publish("orders", message);
        session.read_history("orders", {}, [](auto& reader, HistoryPage const& page) {
            for (auto const& each : page.messages) reader.send("history: " + std::string(each.frame.message().view()));
        });
        session.read_presence("orders", 10, [](auto& reader, PresencePage const& page) {
            reader.send(std::to_string(page.members.size()) + " there");
        });
    }
};

Messages texts(HistoryPage const& page) {
    Messages result;
    for (auto const& message : page.messages) result.emplace_back(message.frame.message().view());
    return result;
}

TEST_CASE("Who comes back to a topic that remembers gets what was missed, then what is published") {
    for (std::size_t const shards : {1u, 2u, 3u}) {
        Shop<> shop({.messages = 10}, shards);
        auto first = shop.connect();
        shop.say(*first, "in");
        shop.publish("a");
        CHECK(messages(*first) == Messages{"at 0", "a"});
        first->lost = true;
        shop.run();
        shop.publish("b");
        shop.publish("c");
        auto again = shop.connect();
        shop.say(*again, "since 1");
        shop.publish("d");
        CHECK(messages(*again) == Messages{"at 1 recovered", "b", "c", "d"});
        CHECK(shop.state->told.back().position == Position{shop.state->position.epoch, 1});
        shop.sums();
    }
}

TEST_CASE("What cannot be recovered is said so, and the newest come if they are wanted") {
    for (std::size_t const shards : {1u, 2u}) {
        Shop<> shop({.messages = 2}, shards);
        auto first = shop.connect();
        shop.say(*first, "in");
        for (auto const* text : {"a", "b", "c"}) shop.publish(text);
        auto late = shop.connect(), strange = shop.connect(), newest = shop.connect(), all = shop.connect();
        shop.say(*late, "since 0");
        shop.say(*strange, "strange");  // the position of another epoch
        shop.say(*newest, "newest 1");
        shop.say(*all, "newest 100");
        shop.publish("d");
        CHECK(messages(*late) == Messages{"at 3", "d"});
        CHECK(messages(*strange) == Messages{"at 3", "d"});
        CHECK(messages(*newest) == Messages{"at 2", "c", "d"});
        CHECK(messages(*all) == Messages{"at 1", "b", "c", "d"});
    }
}

TEST_CASE("A position of the future is not believed") {
    Shop<> shop({.messages = 2}, 1);
    auto first = shop.connect();
    shop.say(*first, "in");
    auto second = shop.connect();
    shop.say(*second, "since 5");
    CHECK(messages(*second) == Messages{"at 0"});
}

TEST_CASE("A topic remembers although nobody is subscribed, until what it has is too old") {
    for (std::size_t const shards : {1u, 2u}) {
        Shop<> shop({.messages = 10, .age = 60s, .id_age = 60s}, shards);
        shop.publish("a");
        shop.pass(30s);
        auto late = shop.connect();
        shop.say(*late, "newest 10");
        CHECK(messages(*late) == Messages{"at 0", "a"});
        late->lost = true;
        shop.run();
        Position const before = shop.state->position;
        shop.pass(40s);
        auto soon = shop.connect();
        shop.say(*soon, "since 1");  // nothing is remembered any more, and nothing was missed
        CHECK(messages(*soon) == Messages{"at 1 recovered"});
        soon->lost = true;
        shop.run();
        shop.pass(80s);
        for (std::size_t i = 0; i < shards; ++i) CHECK(shop.hub.snapshot(i).memory_of_history == 0);
        auto again = shop.connect();
        shop.say(*again, "since 1");
        CHECK(messages(*again) == Messages{"at 0"});  // it has begun anew, and the old position is of another epoch
        CHECK(shop.state->position.epoch != before.epoch);
    }
}

TEST_CASE("A backlog that is longer than a queue comes in parts, and nothing is dropped") {
    for (std::size_t const shards : {1u, 2u}) {
        HubOptions<Remembering> options;
        options.queue.messages = 20;
        options.queue.bytes = 2000;
        options.queue.high_bytes = 1000;
        options.queue.low_bytes = 100;
        Shop<> shop({.messages = 1000}, shards, options);
        Messages expected{"at 0"};
        for (int i = 1; i <= 500; ++i) {
            expected.push_back(std::to_string(i) + std::string(static_cast<std::size_t>(i % 90), '.'));
            shop.publish(expected.back());
        }
        auto slow = shop.connect();
        slow->room = 0;
        shop.say(*slow, "newest 1000");
        for (int i = 501; i <= 600; ++i) {  // live ones, while it catches up
            expected.push_back(std::to_string(i));
            shop.publish(expected.back());
            slow->room = 60;
            shop.run();
        }
        slow->room = MemoryWire::unlimited;
        shop.run();
        shop.publish("end");
        expected.push_back("end");
        CHECK(messages(*slow) == expected);
        CHECK(shop.sums().all_dropped() == 0);
    }
}

TEST_CASE("Who is so slow that the topic forgets what he has not got is told that he has missed something") {
    for (std::size_t const shards : {1u, 2u}) {
        HubOptions<Remembering> options;
        options.queue.messages = 4;
        Shop<> shop({.messages = 10}, shards, options);
        for (int i = 1; i <= 10; ++i) shop.publish(std::to_string(i));
        auto slow = shop.connect();
        slow->room = 0;
        shop.say(*slow, "newest 10");
        for (int i = 11; i <= 40; ++i) shop.publish(std::to_string(i));
        slow->room = MemoryWire::unlimited;
        shop.run();
        shop.publish("41");
        Messages const got = messages(*slow);
        REQUIRE(got.size() >= 4);
        CHECK(got[0] == "at 0");
        CHECK(got[1] == "1");
        // Whole up to the notice, and whole behind it.
        auto const notice = std::find(got.begin() + 1, got.end(), "at 40");
        REQUIRE(notice != got.end());
        CHECK(Messages(notice + 1, got.end()) == Messages{"41"});
        for (auto each = got.begin() + 1; each != notice; ++each) CHECK(*each == std::to_string(each - got.begin()));
        shop.sums();
    }
}

TEST_CASE("What is published while a subscriber is told where he begins comes once") {
    for (std::size_t const shards : {1u, 2u, 3u}) {
        Orders<Remembering> handler;
        handler.state->subscribed = [](auto& session) { session.publish("orders", "mine"); };
        Shop<> shop(handler, {.messages = 10}, shards, {});
        shop.publish("a");
        auto client = shop.connect();
        shop.say(*client, "newest 10");
        shop.publish("b");
        CHECK(messages(*client) == Messages{"at 0", "a", "mine", "b"});
    }
}

TEST_CASE("Who subscribes and then publishes hears himself") {
    for (std::size_t const shards : {1u, 2u, 3u})
        for (std::string const& said : {std::string("mine"), std::string("from elsewhere"), std::string(5000, 'x')}) {
            World<Eager, Remembering> world(Eager{}, shards, remembers<Remembering>({.history = {.messages = 10}}));
            world.hub.publish("orders", Frame::text("before"));
            auto client = world.connect();
            world.say(*client, said);
            world.hub.publish("orders", Frame::text("behind"));
            world.run();
            CHECK(messages(*client) == Messages{"new", said, "behind"});
        }
}

TEST_CASE("A thousand that come back at once are answered in several turns, and get everything") {
    for (std::size_t const shards : {1u, 2u}) {
        HubOptions<RememberingNumbers> options;
        options.limits.per_address = 0;
        Shop<RememberingNumbers> shop({.messages = 500}, shards, options);
        shop.split = 4096;
        for (int i = 1; i <= 300; ++i) shop.publish(std::to_string(i));
        std::vector<std::shared_ptr<MemoryWire>> clients;
        for (int i = 0; i < 1000; ++i) clients.push_back(shop.connect());
        for (auto const& client : clients) client->to_server.append(ws::encode_frame(ws::ClientFrame::text("newest 300")));
        shop.run();
        shop.publish("live");
        for (auto const& client : clients) {
            auto const got = messages(*client);
            REQUIRE(got.size() == 302);
            CHECK(got.front() == "at 0");
            CHECK(got[300] == "300 300");
            CHECK(got[301] == "301 live");
        }
        CHECK(shop.sums().all_dropped() == 0);
    }
}

TEST_CASE("Those who come back at once and take nothing wait, and neither the history nor anybody is lost for them") {
    HubOptions<Remembering> options;
    options.memory = std::make_shared<MemoryBudget>(std::size_t{4} << 20);
    options.limits.per_address = 0;
    options.write_limit = 600s;
    Shop<> shop({.messages = 500}, 1, options);
    for (int i = 1; i <= 60; ++i) shop.publish(std::to_string(i) + std::string(1000, '.'));
    std::vector<std::shared_ptr<MemoryWire>> clients;
    for (int i = 0; i < 200; ++i) clients.push_back(shop.connect());
    for (auto const& client : clients) {
        client->room = 0;
        client->to_server.append(ws::encode_frame(ws::ClientFrame::text("newest 300")));
    }
    shop.run();
    shop.pass(2s);
    CHECK(options.memory->used() <= options.memory->limit());
    CHECK(shop.read({.most = 0}).complete);
    CHECK(shop.hub.snapshot(0).shed == 0);
    for (auto const& client : clients) client->room = MemoryWire::unlimited;
    shop.pass(3s);
    for (auto const& client : clients) CHECK(messages(*client).size() == 61);
    CHECK(shop.sums().all_dropped() == 0);
}

TEST_CASE("A subscription that is taken back and made again in one turn is told once") {
    Told<Remembering> handler;
    handler.hooks->message = [](auto& session, MessageView message) {
        std::string const topic(message.view());
        session.subscribe(topic);
        CHECK(session.unsubscribe(topic));
        session.subscribe(topic);
    };
    for (std::size_t const shards : {1u, 2u, 3u}) {
        World<Told<Remembering>, Remembering> world(handler, shards, remembers<Remembering>({.history = {.messages = 10}}));
        auto client = world.connect();
        for (std::string const topic : {"orders", "news"}) {
            handler.hooks->log.clear();
            world.say(*client, topic);
            CHECK(handler.hooks->log == Messages{"in " + topic + " 0"});
        }
    }
}

TEST_CASE("What a session reads of a topic is read behind what it did") {
    for (std::size_t const shards : {1u, 2u, 3u}) {
        World<ReadsAtOnce, Remembering> world(
            ReadsAtOnce{}, shards, remembers<Remembering>({.history = {.messages = 10}, .presence = {.kept = true}}));
        auto client = world.connect();
        world.say(*client, "mine");
        auto got = messages(*client);
        std::sort(got.begin(), got.end());
        CHECK(got == Messages{"1 there", "history: mine", "mine"});
    }
}

TEST_CASE("Who leaves while he is told where he begins gets nothing, and may come again") {
    for (std::size_t const shards : {1u, 2u}) {
        Orders<Remembering> handler;
        bool leaves = true;
        handler.state->subscribed = [&](auto& session) {
            if (std::exchange(leaves, false)) CHECK(session.unsubscribe("orders"));
        };
        Shop<> shop(handler, {.messages = 10}, shards, {});
        shop.publish("a");
        auto client = shop.connect();
        shop.say(*client, "newest 10");
        shop.publish("b");
        CHECK(messages(*client) == Messages{"at 0"});
        shop.say(*client, "newest 1");
        CHECK(messages(*client) == Messages{"at 0", "at 1", "b"});
        shop.say(*client, "out");
        shop.say(*client, "since 1");
        CHECK(messages(*client) == Messages{"at 0", "at 1", "b", "at 1 recovered", "b"});
    }
}

TEST_CASE("A publication whose id is known is not published again, and its publisher learns where it is") {
    for (std::size_t const shards : {1u, 2u}) {
        Shop<> shop({.messages = 10}, shards);
        auto client = shop.connect();
        shop.say(*client, "in");
        std::vector<PublishReceipt> receipts;
        auto const publish = [&](std::string const& text, std::uint64_t id) {
            shop.publish(text, {.id = id, .on_receipt = [&](PublishReceipt const& receipt) { receipts.push_back(receipt); }});
        };
        publish("a", 5);
        publish("b", 6);
        publish("a", 5);
        CHECK(messages(*client) == Messages{"at 0", "a", "b"});
        REQUIRE(receipts.size() == 3);
        CHECK_FALSE(receipts[0].repeated);
        CHECK(receipts[0].subscribers == 1);
        CHECK(receipts[2].repeated);
        CHECK(receipts[2].position == receipts[0].position);
        CHECK(receipts[2].subscribers == 0);
        shop.pass(121s);
        publish("a", 5);
        CHECK_FALSE(receipts[3].repeated);
    }
}

TEST_CASE("A codec gives subscribers the position of each publication, live and from the history") {
    for (std::size_t const shards : {1u, 2u}) {
        Shop<RememberingNumbers> shop({.messages = 10}, shards);
        auto first = shop.connect();
        shop.say(*first, "in");
        shop.publish("a");
        auto second = shop.connect();
        shop.say(*second, "newest 5");
        shop.publish(std::string(5000, 'b'));
        CHECK(messages(*first) == Messages{"at 0", "1 a", "2 " + std::string(5000, 'b')});
        CHECK(messages(*second) == Messages{"at 0", "1 a", "2 " + std::string(5000, 'b')});
        CHECK(texts(shop.read({})) == Messages{"a", std::string(5000, 'b')});  // as it was published
        shop.hub.publish(Target::all(), Frame::text("all"));
        shop.run();
        CHECK(messages(*first).back() == "all");
    }
}

TEST_CASE("What a codec makes too long for a queue is published to nobody") {
    HubOptions<RememberingNumbers> options;
    options.queue.bytes = 200;
    options.queue.high_bytes = 150;
    options.queue.low_bytes = 10;
    Shop<RememberingNumbers> shop({.messages = 10}, 1, options);
    auto client = shop.connect();
    shop.say(*client, "in");
    std::optional<PublishReceipt> receipt;
    shop.publish(std::string(195, 'x'), {.on_receipt = [&](PublishReceipt const& of) { receipt = of; }});
    REQUIRE(receipt);
    CHECK(receipt->subscribers == 0);
    shop.publish("b");
    CHECK(messages(*client) == Messages{"at 0", "1 b"});  // it had no place
}

TEST_CASE("A history is read by a call, forwards and backwards") {
    for (std::size_t const shards : {1u, 2u}) {
        Shop<> shop({.messages = 4}, shards);
        CHECK(shop.read({}).newest == Position{});
        for (auto const* text : {"a", "b", "c", "d", "e"}) shop.publish(text);
        CHECK(texts(shop.read({})) == Messages{"b", "c", "d", "e"});
        CHECK_FALSE(shop.read({}).complete);
        CHECK(shop.read({.after = 1}).complete);
        CHECK(texts(shop.read({.after = 2, .most = 2})) == Messages{"c", "d"});
        CHECK(texts(shop.read({.most = 2, .newest_first = true})) == Messages{"e", "d"});
        CHECK(texts(shop.read({.after = 2, .before = 5, .newest_first = true})) == Messages{"d", "c"});
        auto const counted = shop.read({.most = 0});
        CHECK(counted.newest.offset == 5);
        CHECK(counted.messages.empty());
    }
}

TEST_CASE("A session reads a history on its own loop") {
    for (std::size_t const shards : {1u, 2u}) {
        World<Reader, Remembering> world(Reader{}, shards, remembers<Remembering>({.history = {.messages = 10}}));
        for (auto const* text : {"a", "b", "c"}) world.hub.publish("orders", Frame::text(text));
        auto client = world.connect();
        world.say(*client, "read");
        CHECK(messages(*client) == Messages{"c", "b"});
    }
}

TEST_CASE("What topics remember is counted in the budget, and goes before anybody loses his connection") {
    HubOptions<Remembering> options;
    options.memory = std::make_shared<MemoryBudget>(std::size_t{2} << 20);
    Shop<> shop({.messages = 100'000, .bytes = 100u << 20}, 1, options);
    auto client = shop.connect();
    shop.say(*client, "in");
    for (int i = 0; i < 1000; ++i) shop.publish(std::string(10'000, 'x'));
    auto const snapshot = shop.hub.snapshot(0);
    CHECK(snapshot.memory_of_history > 1u << 20);
    CHECK(snapshot.memory_of_history <= 2u << 20);
    CHECK(options.memory->used() <= options.memory->limit());
    CHECK(snapshot.shed == 0);
    CHECK(messages(*client).size() == 1001);
    CHECK(shop.read({.most = 1}).complete == false);
}

TEST_CASE("Topics that anybody can make cost the budget what they are, and are forgotten") {
    HubOptions<Remembering> options;
    options.topics.prefixes = {{"any/", {.history = {.messages = 10, .age = 60s, .id_age = 60s}}}};
    options.memory = std::make_shared<MemoryBudget>(std::size_t{8} << 20);
    Shop<> shop({.messages = 1}, 2, options);
    for (int i = 0; i < 20'000; ++i) {
        shop.hub.publish("any/" + std::to_string(i), Frame::text("x"), {.id = static_cast<std::uint64_t>(i) + 1});
        if (i % 100 == 0) shop.run();
        if (i % 1000 == 0) shop.pass(1s);
        CHECK(options.memory->used() <= options.memory->limit() + (1u << 20));
    }
    shop.run();
    auto const topics = [&] { return shop.hub.snapshot(0).topics + shop.hub.snapshot(1).topics; };
    CHECK(topics() > 1000);
    CHECK(topics() < 8'000);
    shop.pass(120s);
    CHECK(topics() == 0);
    CHECK(shop.hub.snapshot(0).memory_of_history + shop.hub.snapshot(1).memory_of_history == 0);
}

TEST_CASE("A topic of values has the newest of each key for who comes new") {
    for (std::size_t const shards : {1u, 2u}) {
        Shop<> shop({.messages = 100, .newest_per_key = true}, shards);
        shop.publish("x 1", {.key = 1});
        shop.publish("y 1", {.key = 2});
        shop.publish("x 2", {.key = 1});
        auto client = shop.connect();
        shop.say(*client, "newest 100");
        CHECK(messages(*client) == Messages{"at 1", "y 1", "x 2"});
        shop.say(*client, "out");
        shop.say(*client, "since 2");
        CHECK(messages(*client) == Messages{"at 1", "y 1", "x 2", "at 2 recovered", "x 2"});
    }
}

TEST_CASE("Topics by name: whole names, then the longest prefix, then the others") {
    TopicsByName::Options options;
    options.names = {{"a/b", {.history = {.messages = 1}}}};
    options.prefixes = {{"a/", {.history = {.messages = 2}}}, {"a/b", {.history = {.messages = 3}}}};
    options.otherwise.history.messages = 4;
    TopicsByName const topics(options);
    CHECK(topics.options_for("a/b").history.messages == 1);
    CHECK(topics.options_for("a/c").history.messages == 2);
    CHECK(topics.options_for("a/bc").history.messages == 3);
    CHECK(topics.options_for("b").history.messages == 4);
    options.prefixes[0].second.history.age = 0s;
    CHECK_THROWS_WITH(options.check(), "TopicsByName::Options::prefixes \"a/\": history.age must be positive");
}

}  // namespace recovery_test
