#include <hubbub/core/memory_budget.hpp>

#include "tests/support/catch.hpp"

TEST_CASE("A budget is high from four fifths on, and over above its limit") {
    hubbub::MemoryBudget budget(1000);
    CHECK(budget.limit() == 1000);
    CHECK(budget.high_mark() == 800);
    budget.take(800);
    CHECK_FALSE(budget.is_high());
    budget.take(1);
    CHECK(budget.is_high());
    budget.take(199);
    CHECK_FALSE(budget.is_over());
    budget.take(1);
    CHECK(budget.is_over());
    budget.give_back(1001);
    CHECK(budget.used() == 0);
    CHECK_FALSE(budget.is_high());
}
