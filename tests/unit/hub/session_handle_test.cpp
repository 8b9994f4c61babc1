// What a hook keeps of its session, and what a session says of its subscriptions.
#include <optional>
#include <string>
#include <thread>

#include "tests/unit/hub/memory_world.hpp"

using namespace memory_world;

namespace {

struct Keeping : DefaultPolicy {
    using Topics = TopicsByName;
};
using Handle = SessionHandle<MemoryConnection, Keeping>;

HubOptions<Keeping> remembers_orders() {
    HubOptions<Keeping> options;
    options.topics.names = {{"orders", {.history = {.messages = 4}}}};
    return options;
}

}  // namespace

TEST_CASE("A handle posts to its session from any thread, and to nobody once that has gone") {
    for (std::size_t const shards : {1u, 3u}) {
        Told<Keeping> handler;
        std::optional<Handle> handle;
        handler.hooks->open = [&](auto& session) { handle = session.handle(); };
        {
            World<Told<Keeping>, Keeping> world(handler, shards, remembers_orders());
            auto client = world.connect();
            REQUIRE(handle);
            bool posted = false;
            std::thread([&] { posted = handle->post([](auto& session) { session.send("later"); }); }).join();
            CHECK(posted);
            world.run();
            CHECK(messages(*client) == Messages{"later"});
            client->lost = true;
            world.run();
            CHECK(handle->post([](auto&) { FAIL("it has gone"); }));
            world.run();
        }
        CHECK_FALSE(handle->post([](auto&) {}));
    }
}

TEST_CASE("A session says to what it is subscribed, and subscriptions and receipts whether the topic remembers") {
    for (std::size_t const shards : {1u, 2u, 3u}) {
        Told<Keeping> handler;
        std::vector<std::string> seen;
        handler.hooks->message = [&](auto& session, MessageView message) {
            std::string const topic(message.view());
            seen.push_back(session.is_subscribed(topic) ? "already" : "not yet");
            session.subscribe(topic);
            if (session.is_subscribed(topic)) seen.push_back("now");
            session.unsubscribe(topic);
            if (!session.is_subscribed(topic)) seen.push_back("no more");
            session.subscribe(topic);
        };
        World<Told<Keeping>, Keeping> world(handler, shards, remembers_orders());
        auto client = world.connect();
        for (std::string const topic : {"orders", "news"}) {
            seen.clear();
            world.say(*client, topic);
            CHECK(seen == Messages{"not yet", "now", "no more"});
            std::optional<PublishReceipt> receipt;
            PublishOptions options;
            options.on_receipt = [&](PublishReceipt const& of) { receipt = of; };
            CHECK(world.hub.publish(topic, Frame::text("x"), std::move(options)) == PublishResult::accepted);
            world.run();
            REQUIRE(receipt);
            CHECK(receipt->subscribers == 1);
            CHECK(receipt->remembered == (topic == "orders"));
        }
        CHECK(world.hub.snapshot(0).callbacks_threw == 0);
    }
}
