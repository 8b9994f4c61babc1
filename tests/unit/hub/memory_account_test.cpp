#include <hubbub/hub/memory_account.hpp>

#include <memory>

#include "tests/support/catch.hpp"

using hubbub::MemoryAccount;
using hubbub::MemoryBudget;

namespace {
constexpr std::size_t step = MemoryAccount::step;
}

TEST_CASE("An account takes steps of the budget, and gives back what is more than a step too much") {
    auto const budget = std::make_shared<MemoryBudget>(100 * step);
    MemoryAccount account(budget, 1);
    account.settle(1);
    CHECK(budget->used() == step);
    account.settle(step);  // nothing to do
    CHECK(budget->used() == step);
    account.settle(step + 1);
    CHECK(budget->used() == 2 * step);
    account.settle(1);  // within a step: kept
    CHECK(budget->used() == 2 * step);
    account.settle(10 * step);
    CHECK(budget->used() == 11 * step);
    account.settle(0);
    CHECK(budget->used() == 0);
}

TEST_CASE("What an account has goes back when it goes") {
    auto const budget = std::make_shared<MemoryBudget>(100 * step);
    {
        MemoryAccount one(budget, 2), other(budget, 2);
        one.settle(5 * step);
        other.settle(7 * step);
        CHECK(budget->used() == 14 * step);
    }
    CHECK(budget->used() == 0);
}

TEST_CASE("Who has less than his part of the budget frees nothing, and together they come down to the high mark") {
    auto const budget = std::make_shared<MemoryBudget>(100 * step);
    MemoryAccount small(budget, 2), large(budget, 2);
    small.settle(20 * step);
    large.settle(70 * step);
    CHECK(large.excess() == 0);  // high, and not over
    large.settle(90 * step);
    CHECK(small.excess() == 0);
    CHECK(large.excess() == 32 * step);  // 91 + 21 - 80
    small.settle(60 * step);
    CHECK(small.excess() == 21 * step);  // its part is 40
    CHECK(large.excess() == 51 * step);
}
