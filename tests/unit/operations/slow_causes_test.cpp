#include <hubbub/operations/slow_causes.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <string>

#include "tests/support/catch.hpp"

using namespace hubbub;

namespace slow_causes {

/// Two moments of a hub with two loops and 100 sessions, five seconds apart, of which nothing is wrong; a test changes the second.
struct Moments {
    HubSnapshot before, now;
    ProcessFacts facts{.descriptors = 120, .descriptor_limit = 1024};

    Moments() {
        for (HubSnapshot* const each : {&before, &now}) {
            each->shards.resize(2);
            for (ShardSnapshot& shard : each->shards) shard.sessions = 50;
            each->memory_used = 10;
            each->memory_high = 80;
            each->memory_limit = 100;
        }
        now.at = before.at + std::chrono::seconds(5);
        for (ShardSnapshot& shard : now.shards)
            for (int i = 0; i < 50; ++i) {
                shard.measures.turns.observe(std::chrono::milliseconds(1));
                shard.measures.loop_lags.observe(std::chrono::microseconds(100));
            }
    }
    std::vector<Cause> causes() const { return SlowCauses(before, now, facts).ranked(); }
    /// The heaviest, which is the only one unless the test says otherwise.
    Cause first() const {
        auto const all = causes();
        REQUIRE_FALSE(all.empty());
        return all.front();
    }
};

}  // namespace slow_causes

using slow_causes::Moments;

TEST_CASE("A hub that has nothing wrong has no cause to be slow") { CHECK(Moments().causes().empty()); }

TEST_CASE("A callback that takes long is named, with its loop") {
    Moments moments;
    moments.now.shards[1].measures.callbacks[static_cast<std::size_t>(CallbackKind::on_message)] = {
        .calls = 10, .slow = 10, .time = std::chrono::milliseconds(500)};
    Cause const cause = moments.first();
    CHECK(cause.name == "callbacks");
    CHECK(cause.evidence == "on_message takes 10 % of loop 1: 10 calls of 50 ms on average, 10 of them slow");
    CHECK(cause.remedy.find("HubOptions::slow_callback") != std::string::npos);
    CHECK(moments.causes().size() == 1);
}

TEST_CASE("Callbacks that are quick and take much of a loop are named too, and few are not") {
    Moments moments;
    auto& counts = moments.now.shards[0].measures.callbacks[static_cast<std::size_t>(CallbackKind::timer)];
    counts = {.calls = 1'000'000, .slow = 0, .time = std::chrono::milliseconds(4'000)};
    CHECK(moments.first().name == "callbacks");
    counts = {.calls = 1'000'000, .slow = 0, .time = std::chrono::milliseconds(500)};
    CHECK(moments.causes().empty());
}

TEST_CASE("Clients that do not read are counted, and the worst is named") {
    Moments moments;
    for (int second = 0; second < 5; ++second)
        for (int i = 0; i < 20; ++i) moments.now.shards[0].measures.queue_ages.observe(std::chrono::seconds(3));
    moments.now.shards[0].pending = 400;
    moments.now.shards[0].delivery.dropped[static_cast<std::size_t>(DropReason::slow_consumer)] = 7;
    moments.now.shards[0].worst.push_back({.id = {5, 2, {0}},
                                           .user = "bob",
                                           .queued_bytes = 1000,
                                           .queued_messages = 20,
                                           .stalled = std::chrono::milliseconds(3'000)});
    Cause const cause = moments.first();
    CHECK(cause.name == "slow_consumers");
    CHECK(
        cause.evidence ==
        "20 of 100 sessions do not read, 400 messages wait, 7 were dropped for it; the worst is session 0-5-2 of bob with 1000 "
        "bytes queued, which stands still for 3000 ms");
}

TEST_CASE("Clients that are short of buffers for a moment are no slow consumers") {
    Moments moments;
    for (int i = 0; i < 200; ++i) moments.now.shards[0].measures.queue_ages.observe(std::chrono::milliseconds(100));
    CHECK(moments.first().name == "send_buffers");
    CHECK(moments.causes().size() == 1);
}

TEST_CASE("A topic that makes most deliveries is named") {
    Moments moments;
    moments.before.shards[0].listed.push_back({.name = "quotes", .members = 50, .published = 1000});
    moments.now.shards[0].listed.push_back({.name = "quotes", .members = 50, .published = 6000});
    moments.now.shards[1].listed.push_back({.name = "quotes", .members = 50});
    moments.now.shards[1].listed.push_back({.name = "news", .members = 50, .published = 90});
    moments.now.shards[0].delivery.deliveries = moments.now.shards[1].delivery.deliveries = 255'000;
    Cause const cause = moments.first();
    CHECK(cause.name == "hot_topic");
    CHECK(cause.evidence ==
          "topic quotes makes 98 % of all deliveries: 1000/s to 100 members; the busiest loop works 1 % of the time");
}

TEST_CASE("A broker that is away, or silent, is a cause") {
    Moments moments;
    moments.now.backplane = {.continuous = false, .brokers = 1, .ready = 0, .waiting_messages = 3, .waiting_bytes = 90};
    CHECK(moments.first().name == "broker");
    CHECK(moments.first().evidence == "1 of 1 brokers cannot be reached; 3 publications (90 bytes) wait for it");
    moments.before.backplane = {.brokers = 1, .ready = 1, .waiting_messages = 2, .published = 10};
    moments.now.backplane = {.brokers = 1, .ready = 1, .waiting_messages = 3, .published = 10};
    CHECK(moments.first().evidence.starts_with("it answers nothing"));
    moments.now.backplane.published = 11;
    CHECK(moments.causes().empty());
}

TEST_CASE("A budget that is used up is a cause, with what has used it") {
    Moments moments;
    moments.now.memory_used = 90;
    moments.now.shards[0].memory_of_history = 70;
    CHECK(moments.first().name == "memory");
    CHECK(moments.first().evidence.find("most by histories (70)") != std::string::npos);
    moments.now.memory_used = 10;
    moments.now.shards[0].shed = 2;
    CHECK(moments.first().evidence.find("2 sessions ended for it") != std::string::npos);
}

TEST_CASE("Descriptors that run out are a cause") {
    Moments moments;
    moments.facts = {.descriptors = 1000, .descriptor_limit = 1024};
    CHECK(moments.first().name == "descriptors");
    moments.facts = {.descriptors = 900, .descriptor_limit = 1024};
    CHECK(moments.causes().empty());
}

TEST_CASE("Loops that are busy, and loops that do not get the processor, are told apart") {
    Moments moments;
    moments.now.shards[1].measures.turns.observe(std::chrono::milliseconds(4'900));
    CHECK(moments.first().name == "loops");
    Moments others;
    for (int i = 0; i < 500; ++i) others.now.shards[1].measures.loop_lags.observe(std::chrono::milliseconds(40));
    CHECK(others.first().name == "starved");
}

TEST_CASE("The heaviest cause is the first") {
    Moments moments;
    for (int i = 0; i < 200; ++i) moments.now.shards[0].measures.queue_ages.observe(std::chrono::milliseconds(100));
    moments.now.backplane = {.continuous = false, .brokers = 1};
    moments.now.shards[1].measures.turns.observe(std::chrono::milliseconds(4'900));
    auto const causes = moments.causes();
    REQUIRE(causes.size() == 3);
    CHECK(causes[0].name == "broker");
    for (std::size_t i = 1; i < causes.size(); ++i) CHECK(causes[i - 1].weight >= causes[i].weight);
}

TEST_CASE("What the system says of this process is what it is") {
    ProcessFacts const before = ProcessFacts::look();
    CHECK(before.descriptor_limit > 0);
    int const one = ::dup(0);
    REQUIRE(one >= 0);
    CHECK(ProcessFacts::look().descriptors == before.descriptors + 1);
    ::close(one);
}

TEST_CASE("A process that has no descriptor left to count them with has all of them open") {
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    rlimit const few{3, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
    ProcessFacts const facts = ProcessFacts::look();
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(facts.descriptors == 3);
    CHECK(facts.descriptor_limit == 3);
}
