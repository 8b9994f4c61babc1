// Topics: a name is looked up for each publication, and sessions come to topics and leave them. With 100,000 names the index is
// larger than the caches.
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "hub_in_memory.hpp"

namespace {
namespace topic_index {

using namespace hub_in_memory;

void find(benchmark::State& state) {
    auto const names = topic_names(static_cast<std::size_t>(state.range(0)));
    TopicIndex topics(SipHash{1, 2});
    for (auto const& name : names) topics.intern(name);
    std::size_t at = 0;
    for (auto _ : state) {
        at = (at + 7919) % names.size();
        benchmark::DoNotOptimize(topics.find(names[at]));
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(find)->Arg(100)->Arg(100'000);

/// A thousand sessions join a topic in one turn, and leave it.
void subscribe_and_unsubscribe(benchmark::State& state) {
    World world(1000);
    for (auto _ : state) {
        world.turn([&] {
            for (auto* session : world.sessions) session->subscribe("room");
        });
        world.turn([&] {
            for (auto* session : world.sessions) session->unsubscribe("room");
        });
    }
    state.SetItemsProcessed(state.iterations() * 2000);
}
BENCHMARK(subscribe_and_unsubscribe);

/// Topics come and go with their only subscriber: the name is made and forgotten.
void churn(benchmark::State& state) {
    World world(1);
    auto const names = topic_names(10'000);
    std::size_t at = 0;
    for (auto _ : state)
        world.turn([&] {
            for (int i = 0; i < 100; ++i) {
                auto const& name = names[at = (at + 7919) % names.size()];
                world.sessions[0]->subscribe(name);
                world.sessions[0]->unsubscribe(name);
            }
        });
    state.SetItemsProcessed(state.iterations() * 100);
}
BENCHMARK(churn);

/// One session in 900 topics leaves one of them and comes back: may not depend on how many it has.
void leave_one_of_many(benchmark::State& state) {
    World world(1);
    auto const names = topic_names(static_cast<std::size_t>(state.range(0)));
    world.turn([&] {
        for (auto const& name : names) world.sessions[0]->subscribe(name);
    });
    std::size_t at = 0;
    for (auto _ : state)
        world.turn([&] {
            auto const& name = names[at = (at + 7919) % names.size()];
            world.sessions[0]->unsubscribe(name);
            world.sessions[0]->subscribe(name);
        });
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(leave_one_of_many)->Arg(10)->Arg(900);

}  // namespace topic_index
}  // namespace
