#include <hubbub/hub/desk_flushes.hpp>

#include <memory>
#include <string>
#include <vector>

#include <hubbub/hub/outbox.hpp>

#include "tests/support/catch.hpp"

namespace desk_flushes_test {

using namespace hubbub;

struct Broker {
    Outbox outbox;
};

TEST_CASE("A shard is answered when each broker has settled what was there when it asked, and not what came later") {
    std::vector<std::unique_ptr<Broker>> brokers;
    for (int i = 0; i < 2; ++i) brokers.push_back(std::make_unique<Broker>());
    auto const settle = [&](std::size_t broker, std::uint64_t serial) { brokers[broker]->outbox.settle(serial, [](auto&) {}); };
    DeskFlushes flushes;
    auto const answered = [&] {
        std::string shards;
        flushes.end(brokers, [&](ShardIndex shard, std::uint64_t number) {
            shards += std::to_string(shard.value) + ':' + std::to_string(number) + ' ';
        });
        return shards;
    };
    flushes.begin({3}, 7, brokers);
    CHECK(answered() == "3:7 ");  // nothing is there
    CHECK(answered().empty());
    for (auto& broker : brokers)
        for (auto const* body : {"1", "2"}) broker->outbox.add({.topic = "news", .body = body});
    flushes.begin({0}, 1, brokers);
    brokers[0]->outbox.add({.topic = "news", .body = "3"});
    flushes.begin({1}, 1, brokers);
    settle(0, 2);
    settle(1, 1);
    settle(1, 2);
    CHECK(answered().empty());  // the first broker has not got its first one
    settle(0, 1);
    CHECK(answered() == "0:1 ");
    settle(0, 3);
    CHECK(answered() == "1:1 ");
}

}  // namespace desk_flushes_test
