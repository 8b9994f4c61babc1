#include <random>
#include <string>
#include <vector>

#include "tests/unit/hub/memory_world.hpp"

using namespace memory_world;

TEST_CASE("A direct send comes behind what its receiver's topics published before, however many they are") {
    std::mt19937 random(5);
    for (std::size_t const joined : {1u, 3u, 40u, 300u})
        for (std::size_t const published : {1u, 3u, 40u, 300u}) {
            HubOptions options;
            options.subscriptions = 300;
            Told<> handler;
            Messages expected;
            handler.hooks->open = [&](auto& session) {
                for (std::size_t topic = 0; topic < joined; ++topic) session.subscribe(std::to_string(topic));
            };
            // Each publication is followed by a direct send, now and then by several, or by none.
            handler.hooks->message = [&](auto& session, MessageView) {
                for (int i = 0; i < 200; ++i) {
                    std::size_t const topic = random() % published;
                    std::string const number = std::to_string(expected.size());
                    session.publish(std::to_string(topic), "published " + number);
                    if (topic < joined) expected.push_back("published " + number);
                    for (auto sends = random() % 3; sends; --sends) {
                        expected.push_back("sent " + std::to_string(expected.size()));
                        session.send(expected.back());
                    }
                }
                session.send("end");
            };
            World<Told<>> world(handler, 1, options);
            auto wire = world.connect();
            world.say(*wire, "go");
            world.say(*wire, "go");
            // Topics have no order among each other; a direct send has one towards all.
            auto const got = messages(*wire);
            REQUIRE(got.size() == expected.size() + 2);
            std::size_t before = 0;
            for (std::string const& message : got) {
                if (message == "end") continue;
                // All that was said before it has come, and nothing else.
                if (message.starts_with("sent")) REQUIRE(std::stoul(message.substr(5)) == before);
                ++before;
            }
            world.sums();
        }
}

TEST_CASE("A session that was in many topics and left them hears only what it joined again") {
    HubOptions options;
    options.subscriptions = 5'000;
    options.rates.session.subscriptions = {};  // without limit
    Told<> handler;
    handler.hooks->message = [](auto& session, MessageView message) {
        bool const joins = message.view() == "join";
        for (int topic = 0; topic < 5'000; ++topic) {
            std::string const name = std::to_string(topic);
            REQUIRE((joins ? session.subscribe(name) == SubscribeResult::started : session.unsubscribe(name)));
        }
        if (!joins) session.subscribe("42");
    };
    World<Told<>> world(handler, 2, options);
    auto first = world.connect(), second = world.connect();
    world.say(*first, "join");
    world.say(*second, "join");
    world.say(*first, "leave");
    world.pass(std::chrono::seconds(2));
    for (int topic = 0; topic < 5'000; ++topic) world.hub.publish(std::to_string(topic), Frame::text("x"));
    world.run();
    CHECK(messages(*first).size() == 1);
    CHECK(messages(*second).size() == 5'000);
    CHECK(world.sums().deliveries == 5'001);
    second->lost = true;
    world.run();
    world.pass(std::chrono::seconds(4));
    CHECK(world.hub.snapshot(0).topics + world.hub.snapshot(1).topics <= 4);  // what nobody is in is forgotten
}
