#include <hubbub/core/token_bucket.hpp>

#include <chrono>

#include "tests/support/catch.hpp"

using hubbub::Duration;
using hubbub::Rate;
using hubbub::TimePoint;
using hubbub::TokenBucket;
using namespace std::chrono_literals;

namespace {
TimePoint const start{1h};
}

TEST_CASE("A fresh bucket has a burst in it, to the last token") {
    Rate const rate{.per_second = 10, .burst = 5};
    TokenBucket bucket;
    for (int i = 0; i < 5; ++i) CHECK(bucket.try_take(rate, 1, start));
    CHECK_FALSE(bucket.try_take(rate, 1, start));
    CHECK(bucket.wait(rate, start) > Duration::zero());
    CHECK(bucket.wait(rate, start) <= 1ms);  // as soon as anything of a token is there, one may be taken
}

TEST_CASE("What is taken comes back at its rate, and no more than a burst is saved up") {
    Rate const rate{.per_second = 10, .burst = 5};
    TokenBucket bucket;
    for (int i = 0; i < 5; ++i) bucket.take(rate, 1, start);
    auto const later = start + 200ms;
    CHECK(bucket.try_take(rate, 1, later));
    CHECK(bucket.try_take(rate, 1, later));
    CHECK_FALSE(bucket.try_take(rate, 1, later));
    CHECK_FALSE(bucket.is_full(later + 499ms));
    CHECK(bucket.is_full(later + 500ms));
    int taken = 0;
    while (bucket.try_take(rate, 1, start + 1h)) ++taken;
    CHECK(taken == 5);
}

TEST_CASE("Who takes more than there is waits for as long as that takes to come back") {
    Rate const rate{.per_second = 1000, .burst = 100};
    TokenBucket bucket;
    auto const wait = bucket.take(rate, 600, start);
    CHECK(wait > 500ms);
    CHECK(wait <= 501ms);
    CHECK_FALSE(bucket.try_take(rate, 1, start + 500ms));
    CHECK(bucket.wait(rate, start + 501ms) == Duration::zero());
    CHECK_FALSE(bucket.has(rate, 2, start + 501ms));
    CHECK(bucket.try_take(rate, 1, start + 501ms));
}

TEST_CASE("Over a long time as much gets through as the rate says") {
    Rate const rate{.per_second = 333, .burst = 10};
    TokenBucket bucket;
    int taken = 0;
    for (auto now = start; now < start + 10s; now += 1ms) taken += bucket.try_take(rate, 1, now);
    CHECK(taken >= 3330);
    CHECK(taken <= 3342);
}

TEST_CASE("A rate without a burst has a second's worth of it, and amounts that are no rate are bounded") {
    CHECK(Rate{.per_second = 7}.most_at_once() == 7);
    CHECK_FALSE(Rate{}.is_limited());
    TokenBucket bucket;
    for (int i = 0; i < 3; ++i) CHECK(bucket.take({.per_second = 1}, ~std::uint64_t{0}, start) > 23h);
    CHECK(bucket.wait({.per_second = 1}, start) <= 24h);
}
