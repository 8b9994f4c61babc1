#include <hubbub/hub/drain.hpp>

#include <chrono>
#include <thread>
#include <vector>

#include "tests/support/catch.hpp"

using hubbub::Drain;
using hubbub::DrainOptions;
using namespace std::chrono_literals;

namespace {

DrainOptions paced(std::size_t per_second) {
    DrainOptions options;
    options.per_second = per_second;
    return options;
}

}  // namespace

TEST_CASE("A shard closes its part of the pace in each tick, and at least one session") {
    CHECK(Drain(paced(5000), 1, nullptr).batch(100ms) == 500);
    CHECK(Drain(paced(5000), 4, nullptr).batch(100ms) == 125);
    CHECK(Drain(paced(5000), 4, nullptr).batch(50ms) == 62);
    CHECK(Drain(paced(3), 4, nullptr).batch(100ms) == 1);
    CHECK(Drain(paced(0), 1, nullptr).batch(100ms) == 1);
}

TEST_CASE("The completion runs once, when the last shard is empty, and may throw or be missing") {
    int done = 0;
    Drain drain({}, 3, [&] {
        ++done;
        throw 1;
    });
    drain.shard_is_done();
    drain.shard_is_done();
    CHECK(done == 0);
    drain.shard_is_done();
    CHECK(done == 1);
    Drain(DrainOptions{}, 1, nullptr).shard_is_done();
}

TEST_CASE("Shards that are empty on different threads at once complete a drain once") {
    for (int i = 0; i < 200; ++i) {
        int done = 0;
        Drain drain({}, 4, [&] { ++done; });
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t) threads.emplace_back([&] { drain.shard_is_done(); });
        for (auto& thread : threads) thread.join();
        REQUIRE(done == 1);
    }
}

TEST_CASE("Clients are told to come again, unless something else is said") {
    CHECK(DrainOptions{}.code == hubbub::CloseCode::service_restart);
}
