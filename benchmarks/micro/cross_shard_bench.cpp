// A publication on one shard for subscribers of another, and one from outside of all loops: what the way between shards adds. Both
// loops are run by one thread, so no wake-up is in it.
#include <string>

#include <benchmark/benchmark.h>

#include "hub_in_memory.hpp"

namespace {
namespace cross_shard {

using namespace hub_in_memory;

/// So many messages a turn of shard 0, to one subscriber on shard 1: nearly all of it is the post.
void post(benchmark::State& state) {
    World world(1, 2);
    world.subscribe_all("room", 1);
    std::string const payload(64, 'x');
    for (auto _ : state) {
        world.turn([&] {
            for (std::int64_t i = 0; i < state.range(0); ++i) world.sessions[0]->publish("room", MessageView::text(payload));
        });
        world.run();
    }
    if (world.deliveries() != static_cast<std::uint64_t>(state.iterations() * state.range(0)))
        state.SkipWithError("not all was delivered");
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(post)->Arg(1)->Arg(16)->Arg(256);

/// From no loop, as a thread of the application would: an order through the mailbox of the topic's shard.
void publish_from_outside(benchmark::State& state) {
    World world(1, 2);
    world.subscribe_all("room", 1);
    std::string const payload(64, 'x');
    for (auto _ : state) {
        for (std::int64_t i = 0; i < state.range(0); ++i) world.hub.broadcaster().publish("room", payload);
        world.run();
    }
    if (world.deliveries() != static_cast<std::uint64_t>(state.iterations() * state.range(0)))
        state.SkipWithError("not all was delivered");
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(publish_from_outside)->Arg(1)->Arg(16)->Arg(256);

}  // namespace cross_shard
}  // namespace
