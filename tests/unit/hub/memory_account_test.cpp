#include <hubbub/hub/memory_account.hpp>

#include <memory>

#include "tests/support/catch.hpp"

using hubbub::MemoryAccount;
using hubbub::MemoryBudget;

namespace {
constexpr std::size_t account_step = MemoryAccount::step;
}

TEST_CASE("An account takes steps of the budget, and gives back what is more than a step too much") {
    auto const budget = std::make_shared<MemoryBudget>(100 * account_step);
    MemoryAccount account(budget);
    account.settle(1);
    CHECK(budget->used() == account_step);
    account.settle(account_step);  // nothing to do
    CHECK(budget->used() == account_step);
    account.settle(account_step + 1);
    CHECK(budget->used() == 2 * account_step);
    account.settle(1);  // within a account_step: kept
    CHECK(budget->used() == 2 * account_step);
    account.settle(10 * account_step);
    CHECK(budget->used() == 11 * account_step);
    account.settle(0);
    CHECK(budget->used() == 0);
}

TEST_CASE("What an account has goes back when it goes") {
    auto const budget = std::make_shared<MemoryBudget>(100 * account_step);
    {
        MemoryAccount one(budget), other(budget);
        one.settle(5 * account_step);
        other.settle(7 * account_step);
        CHECK(budget->used() == 14 * account_step);
    }
    CHECK(budget->used() == 0);
}

TEST_CASE("Hubs that share a budget have their parts of it, however many accounts each has") {
    auto const budget = std::make_shared<MemoryBudget>(100 * account_step);
    MemoryAccount one(budget);
    {
        MemoryAccount other(budget);
        one.settle(60 * account_step);
        other.settle(60 * account_step);
        CHECK(one.excess() == 21 * account_step);
        CHECK(other.excess() == 21 * account_step);
    }
    one.settle(90 * account_step);  // alone again
    CHECK(one.excess() == 0);
}

TEST_CASE("Who has less than his part of the budget frees nothing, and together they come down to the high mark") {
    auto const budget = std::make_shared<MemoryBudget>(100 * account_step);
    MemoryAccount small(budget), large(budget);
    small.settle(20 * account_step);
    large.settle(70 * account_step);
    CHECK(large.excess() == 0);  // high, and not over
    large.settle(90 * account_step);
    CHECK(small.excess() == 0);
    CHECK(large.excess() == 32 * account_step);  // 91 + 21 - 80
    small.settle(60 * account_step);
    CHECK(small.excess() == 21 * account_step);  // its part is 40
    CHECK(large.excess() == 51 * account_step);
}
