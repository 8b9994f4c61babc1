#include <hubbub/policy/topics.hpp>

#include "tests/unit/hub/memory_world.hpp"

using namespace memory_world;

namespace {

struct Prices {
    TopicOptions options_for(std::string_view name) const noexcept {
        if (name.starts_with("price.")) return {.on_full = OverflowAction::drop_oldest};
        return {};
    }
};
struct PricesPolicy : DefaultPolicy {
    using Overflow = DropNewest;
    using Topics = Prices;
};

}  // namespace

TEST_CASE("UniformTopics says nothing special about any topic") {
    CHECK_FALSE(UniformTopics().options_for("room").on_full);
    CHECK_FALSE(UniformTopics().options_for("").on_full);
}

TEST_CASE("What the policy says of a topic's name decides instead of the hub's overflow policy, on every shard") {
    for (std::size_t const shards : {1u, 3u}) {
        HubOptions<PricesPolicy> options;
        options.queue = {.bytes = 100'000, .messages = 3};
        Told<PricesPolicy> handler;
        handler.hooks->open = [](auto& session) {
            session.subscribe("price.a");
            session.subscribe("chat");
        };
        World<Told<PricesPolicy>, PricesPolicy> world(handler, shards, options);
        std::vector<std::shared_ptr<MemoryWire>> wires;
        for (int i = 0; i < 3; ++i) wires.push_back(world.connect());
        auto const publish = [&](std::string_view topic) {
            for (auto& wire : wires) wire->room = 0;
            for (int i = 0; i < 6; ++i) world.hub.publish(topic, Frame::text(std::to_string(i)));
            world.run();
            for (auto& wire : wires) wire->room = MemoryWire::unlimited;
            world.run();
        };
        publish("price.a");
        for (auto& wire : wires) CHECK(messages(*wire) == Messages{"3", "4", "5"});
        publish("chat");
        for (auto& wire : wires) CHECK(messages(*wire) == Messages{"3", "4", "5", "0", "1", "2"});
    }
}
