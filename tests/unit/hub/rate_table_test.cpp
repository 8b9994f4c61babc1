#include <hubbub/hub/rate_table.hpp>

#include <chrono>
#include <string>

#include "tests/support/catch.hpp"

using namespace hubbub;
using namespace std::chrono_literals;

namespace {

TimePoint const table_start{1h};
Rate const one_a_second{.per_second = 1, .burst = 1};

struct Buckets : SharedBuckets<std::string, 2> {
    explicit Buckets(std::size_t most_keys) : SharedBuckets(most_keys) {}
    bool take(std::string const& key, std::size_t kind, TimePoint now) {
        return use(key, kind, now, [&](TokenBucket& bucket) { return bucket.try_take(one_a_second, 1, now); });
    }
};

}  // namespace

TEST_CASE("Each key has buckets of its own, and each kind one") {
    Buckets table(1000);
    CHECK(table.take("ada", 0, table_start));
    CHECK_FALSE(table.take("ada", 0, table_start));
    CHECK(table.take("ada", 1, table_start));
    CHECK(table.take("bob", 0, table_start));
    CHECK(table.keys() == 2);
}

TEST_CASE("There are never more keys than there may be, and who finds no room shares one bucket") {
    Buckets table(160);
    int taken = 0;
    for (int i = 0; i < 10'000; ++i) taken += table.take(std::to_string(i), 0, table_start);
    CHECK(table.keys() <= 160);
    CHECK(taken <= 160 + 16);  // one more for each stripe
    CHECK(taken >= 160);
}

TEST_CASE("A key whose buckets are full again makes room") {
    Buckets table(160);
    for (int i = 0; i < 10'000; ++i) table.take(std::to_string(i), 0, table_start);
    std::size_t const before = table.keys();
    CHECK(table.take("late", 0, table_start + 10s));
    CHECK_FALSE(table.take("late", 0, table_start + 10s));  // its own
    CHECK(table.take("later", 1, table_start + 10s));
    CHECK(table.keys() < before);
}
