#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/hub/memory_world.hpp"

using namespace memory_world;
using namespace std::chrono_literals;

namespace {

/// The user is the path without its slash; "/wrong" is nobody.
struct ByPath {
    void authenticate(http::Request const& request, PeerAddress const&, Verdict<Authenticated> verdict) {
        if (request.path() == "/wrong") return verdict.answer(Authenticated::refused(http::Status::unauthorized, "no"));
        verdict.answer(Authenticated::as({.user = std::string(request.path().substr(1)), .labels = {}, .expires_at = {}}));
    }
};
struct Policy : DefaultPolicy {
    using Auth = ByPath;
};

/// What is heard of whom, in order; and "sub RESULT" for the message "sub".
struct RatedWorld : World<Told<Policy>, Policy> {
    explicit RatedWorld(TokenBuckets const& rates, std::size_t shards = 1,
                        std::shared_ptr<int> count = std::make_shared<int>(0))
        : World(counting(count), shards, options_of(rates)), heard(std::move(count)) {}
    std::shared_ptr<MemoryWire> come(std::string const& user, std::string_view from = "192.0.2.1") {
        std::string text(request);
        text.replace(text.find("/chat"), 5, "/" + user);
        return connect(text, MemoryMode::direct, *parse_address(from));
    }
    std::string status(MemoryWire const& wire) { return wire.received.substr(9, 3); }
    void say_often(MemoryWire& wire, int count, std::string_view text = "x") {
        for (int i = 0; i < count; ++i) wire.to_server.append(ws::encode_frame(ws::ClientFrame::text(text)));
        run();
    }

    std::shared_ptr<int> heard;  ///< messages

   private:
    static HubOptions<Policy> options_of(TokenBuckets const& rates) {
        HubOptions<Policy> options;
        options.rates = rates;
        return options;
    }
    static Told<Policy> counting(std::shared_ptr<int> count) {
        Told<Policy> handler;
        handler.hooks->message = [count](auto& session, MessageView message) {
            ++*count;
            if (message.view() == "sub")
                session.send(std::to_string(static_cast<int>(session.subscribe(std::to_string(*count)))));
        };
        return handler;
    }
};

/// Answers when the test says so.
struct SlowToAnswer {
    static inline std::vector<Verdict<Authenticated>> asked;
    void authenticate(http::Request const&, PeerAddress const&, Verdict<Authenticated> verdict) {
        asked.push_back(std::move(verdict));
    }
};
struct SlowToAnswerPolicy : DefaultPolicy {
    using Auth = SlowToAnswer;
};

}  // namespace

TEST_CASE("A session that says too much is not read for a while, and nothing of it is lost") {
    TokenBuckets rates = TokenBuckets::off();
    rates.session.messages = {.per_second = 10, .burst = 20};
    RatedWorld world(rates);
    auto const fast = world.come("ada"), other = world.come("ada");
    world.say_often(*fast, 50);
    CHECK(*world.heard == 20);
    CHECK(world.hub.snapshot(0).throttled == 1);
    world.say_often(*other, 5);  // not its fault
    CHECK(*world.heard == 25);
    world.pass(1s);
    CHECK(*world.heard >= 34);
    CHECK(*world.heard <= 37);
    world.pass(3s);
    CHECK(*world.heard == 55);
    CHECK(messages(*fast).empty());
}

TEST_CASE("Pings, pongs, fragments and empty messages count as messages") {
    TokenBuckets rates = TokenBuckets::off();
    rates.session.messages = {.per_second = 1, .burst = 8};
    RatedWorld world(rates);
    auto const client = world.come("ada");
    ws::ClientFrame fragment = ws::ClientFrame::text("a");
    fragment.fin = false;
    for (int i = 0; i < 2; ++i) {
        client->to_server.append(ws::encode_frame(ws::ClientFrame::make(ws::Opcode::ping, {})));
        client->to_server.append(ws::encode_frame(ws::ClientFrame::make(ws::Opcode::pong, {})));
        client->to_server.append(ws::encode_frame(fragment));
        client->to_server.append(ws::encode_frame(ws::ClientFrame::make(ws::Opcode::continuation, {})));
    }
    world.say_often(*client, 5, "");
    CHECK(*world.heard == 2);
    world.pass(10s);
    CHECK(*world.heard == 7);
}

TEST_CASE("Bytes are counted too: one message that is too large is heard, and then nothing for long") {
    TokenBuckets rates = TokenBuckets::off();
    rates.session.bytes = {.per_second = 1000, .burst = 1000};
    RatedWorld world(rates);
    auto const client = world.come("ada");
    world.say_often(*client, 1, std::string(4000, 'x'));
    world.say_often(*client, 1);
    CHECK(*world.heard == 1);
    world.pass(2s);
    CHECK(*world.heard == 1);
    world.pass(2s);
    CHECK(*world.heard == 2);
}

TEST_CASE("Where the policy says so, who says too much is closed with 1008") {
    TokenBuckets rates = TokenBuckets::off();
    rates.session.messages = {.per_second = 10, .burst = 5};
    rates.excess = RateAction::close;
    RatedWorld world(rates);
    auto const client = world.come("ada");
    world.say_often(*client, 9);
    CHECK(*world.heard == 5);
    CHECK(messages(*client) == Messages{"close 1008"});
}

TEST_CASE("Sessions of a user share his rate over all shards, and other users have theirs") {
    TokenBuckets rates = TokenBuckets::off();
    rates.user.messages = {.per_second = 16, .burst = 64};
    RatedWorld world(rates, 2);
    auto const first = world.come("ada"), second = world.come("ada"), other = world.come("bob"), nobody = world.come("");
    world.say_often(*first, 40);
    world.say_often(*second, 40);
    CHECK(*world.heard >= 60);  // some of it was taken in advance by the other session
    CHECK(*world.heard <= 66);
    int const before = *world.heard;
    world.say_often(*other, 40);
    world.say_often(*nobody, 100);
    CHECK(*world.heard == before + 140);
    world.pass(5s);
    CHECK(*world.heard == 220);
}

TEST_CASE("What comes from an address shares its rate, whoever it is") {
    TokenBuckets rates = TokenBuckets::off();
    rates.address.bytes = {.per_second = 1000, .burst = 5000};
    RatedWorld world(rates);
    auto const first = world.come("ada"), second = world.come("bob"), elsewhere = world.come("cy", "192.0.2.2");
    std::string const large(1000, 'x');
    world.say_often(*first, 4, large);
    world.say_often(*second, 4, large);
    CHECK(*world.heard >= 5);
    CHECK(*world.heard <= 6);
    int const before = *world.heard;
    world.say_often(*elsewhere, 4, large);
    CHECK(*world.heard == before + 4);
    world.pass(6s);
    CHECK(*world.heard == 12);
}

TEST_CASE("An address that connects too often gets 429, and may again after a while") {
    TokenBuckets rates = TokenBuckets::off();
    rates.address.connections = {.per_second = 1, .burst = 3};
    RatedWorld world(rates);
    for (int i = 0; i < 3; ++i) {
        auto const wire = world.come("ada");
        CHECK(world.status(*wire) == "101");
        wire->lost = true;  // it is how often, not how many
        world.run();
    }
    auto const refused = world.come("ada");
    CHECK(world.status(*refused) == "429");
    CHECK(refused->received.find("Retry-After: ") != std::string::npos);
    CHECK(world.hub.snapshot(0).refused[static_cast<std::size_t>(ConnectionRefusal::rate)] == 1);
    CHECK(world.status(*world.come("ada", "192.0.2.2")) == "101");
    world.pass(1250ms);
    CHECK(world.status(*world.come("ada")) == "101");
    CHECK(world.status(*world.come("ada")) == "429");
}

TEST_CASE("An address from which too many have failed to say who they are is not asked any more") {
    TokenBuckets rates = TokenBuckets::off();
    rates.address.failures = {.per_second = 1, .burst = 3};
    RatedWorld world(rates);
    for (int i = 0; i < 3; ++i) CHECK(world.status(*world.come("wrong")) == "401");
    CHECK(world.status(*world.come("wrong")) == "429");
    CHECK(world.status(*world.come("ada")) == "429");  // he might be the one who guesses
    CHECK(world.status(*world.come("ada", "192.0.2.2")) == "101");
    world.pass(1250ms);
    CHECK(world.status(*world.come("ada")) == "101");
    CHECK(world.status(*world.come("wrong")) == "401");
}

TEST_CASE("Who guesses many times at once is not let off the debt of it") {
    HubOptions<SlowToAnswerPolicy> options;
    options.rates = TokenBuckets::off();
    options.rates.address.failures = {.per_second = 1, .burst = 3};
    World<Told<SlowToAnswerPolicy>, SlowToAnswerPolicy> world({}, 1, options);
    auto const come = [&] { return world.connect(request, MemoryMode::direct, *parse_address("192.0.2.1")); };
    for (int i = 0; i < 20; ++i) come();
    for (auto& verdict : SlowToAnswer::asked) verdict.answer(Authenticated::refused(http::Status::unauthorized, "no"));
    SlowToAnswer::asked.clear();
    world.run();
    world.pass(15s);
    CHECK(come()->received.substr(9, 3) == "429");
    world.pass(5s);
    come();
    CHECK(SlowToAnswer::asked.size() == 1);
    SlowToAnswer::asked.clear();
}

TEST_CASE("A session that subscribes too often is told so") {
    TokenBuckets rates = TokenBuckets::off();
    rates.session.subscriptions = {.per_second = 1, .burst = 2};
    RatedWorld world(rates);
    auto const client = world.come("ada");
    for (int i = 0; i < 3; ++i) world.say(*client, "sub");
    auto const number = [](SubscribeResult result) { return std::to_string(static_cast<int>(result)); };
    auto const started = number(SubscribeResult::started), too_often = number(SubscribeResult::too_often);
    CHECK(messages(*client) == Messages{started, started, too_often});
    world.pass(1250ms);
    world.say(*client, "sub");
    CHECK(messages(*client).back() == started);
}

TEST_CASE("The usual rates are no hindrance to who is no nuisance, and stop who is") {
    RatedWorld world{TokenBuckets{}};
    auto const client = world.come("ada");
    world.say_often(*client, 4000);
    CHECK(*world.heard == 4000);
    world.say_often(*client, 10);
    CHECK(*world.heard <= 4001);
    world.pass(250ms);
    CHECK(*world.heard == 4010);
}
