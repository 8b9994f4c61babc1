// A publication to N subscribers, on connections that swallow everything: what the hub itself takes of each delivery. One message
// a turn is the dearest, because each delivery has a write of its own; 16 share one.
#include <string>

#include <benchmark/benchmark.h>

#include "hub_in_memory.hpp"

namespace {
namespace fan_out {

using namespace hub_in_memory;

/// To N subscribers, so many messages a turn.
void publish(benchmark::State& state) {
    auto const subscribers = static_cast<std::size_t>(state.range(0));
    World world(subscribers);
    world.subscribe_all("room");
    std::string const payload(64, 'x');
    for (auto _ : state)
        world.turn([&] {
            for (std::int64_t i = 0; i < state.range(1); ++i) world.sessions[0]->publish("room", MessageView::text(payload));
        });
    if (world.deliveries() != subscribers * static_cast<std::uint64_t>(state.iterations() * state.range(1)))
        state.SkipWithError("not all was delivered");
    state.SetItemsProcessed(static_cast<std::int64_t>(world.deliveries()));
}
BENCHMARK(publish)->ArgsProduct({{100, 1'000, 10'000}, {1, 16}});

/// 100 topics of 10 subscribers, one message each.
void publish_to_small_topics(benchmark::State& state) {
    World world(1000);
    auto const names = topic_names(100);
    world.turn([&] {
        for (std::size_t i = 0; i < 1000; ++i) world.sessions[i]->subscribe(names[i % 100]);
    });
    std::string const payload(64, 'x');
    for (auto _ : state)
        world.turn([&] {
            for (auto const& name : names) world.sessions[0]->publish(name, MessageView::text(payload));
        });
    state.SetItemsProcessed(static_cast<std::int64_t>(world.deliveries()));
}
BENCHMARK(publish_to_small_topics);

}  // namespace fan_out
}  // namespace
