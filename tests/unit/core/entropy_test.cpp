#include <hubbub/core/entropy.hpp>

#include <cstdint>
#include <set>

#include "tests/support/catch.hpp"

TEST_CASE("Entropy is another number each time, in all its bits") {
    std::set<std::uint64_t> numbers;
    std::uint64_t ever = 0, always = ~std::uint64_t{0};
    for (int i = 0; i < 200; ++i) {
        std::uint64_t const number = hubbub::detail::entropy();
        numbers.insert(number);
        ever |= number;
        always &= number;
    }
    CHECK(numbers.size() == 200);
    CHECK(ever == ~std::uint64_t{0});
    CHECK(always == 0);
}
