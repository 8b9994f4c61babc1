#include <hubbub/hub/shard_drain.hpp>

#include <chrono>
#include <memory>

#include "tests/support/catch.hpp"

namespace shard_drain_test {

using namespace hubbub;
using namespace std::chrono_literals;

std::shared_ptr<Drain> drain_of(std::size_t shards, int* done) {
    return std::make_shared<Drain>(DrainOptions{}, shards, [done] { ++*done; });
}

TEST_CASE("Who asks for a drain that is under way is told with the others, and learns once that a shard is empty") {
    int done = 0;
    ShardDrain drain;
    auto const first = drain_of(1, &done), second = drain_of(2, &done), third = drain_of(1, &done);
    CHECK(drain.begin(first, TimePoint{}));
    CHECK_FALSE(drain.begin(second, TimePoint{}));
    CHECK(drain.tell_empty());  // of the first
    CHECK_FALSE(drain.tell_empty());
    CHECK(second->shard_is_empty());  // the other shard
    CHECK_FALSE(drain.begin(third, TimePoint{}));
    CHECK(drain.tell_empty());
    drain.end();
    CHECK(done == 2);
    CHECK_FALSE(drain.is_under_way());
    second->shard_is_done();
    CHECK(done == 3);
}

TEST_CASE("A broker is waited for until the deadline, and a second at least") {
    int done = 0;
    ShardDrain drain;
    TimePoint const begun{100s};
    REQUIRE(drain.begin(drain_of(1, &done), begun));
    CHECK_FALSE(drain.is_flush_late(begun + 20s));  // nobody has asked it yet
    drain.begin_flush(begun + 1s);
    CHECK_FALSE(drain.is_flush_late(begun + 7999ms));
    CHECK(drain.is_flush_late(begun + 8s));
    drain.begin_flush(begun + 8s);  // sessions took all the time
    CHECK_FALSE(drain.is_flush_late(begun + 8999ms));
    CHECK(drain.is_flush_late(begun + 9s));
}

TEST_CASE("What a broker answers to an earlier drain is none to this one") {
    int done = 0;
    ShardDrain drain;
    REQUIRE(drain.begin(drain_of(1, &done), TimePoint{}));
    auto const earlier = drain.begin_flush(TimePoint{});
    drain.end();
    REQUIRE(drain.begin(drain_of(1, &done), TimePoint{}));
    auto const now = drain.begin_flush(TimePoint{});
    drain.note_flushed(earlier);
    CHECK_FALSE(drain.is_flushed());
    drain.note_flushed(now);
    CHECK(drain.is_flushed());
}

}  // namespace shard_drain_test
