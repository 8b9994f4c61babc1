#include <hubbub/testing/choices.hpp>

#include <array>
#include <cstddef>
#include <set>

#include "tests/support/catch.hpp"

using hubbub::testing::Choices;

TEST_CASE("Choices come from the bytes as long as they last, and then go on") {
    std::array<std::byte, 5> const bytes{std::byte{1}, std::byte{2}, std::byte{0xFF}, std::byte{0}, std::byte{9}};
    Choices choices{std::span<std::byte const>(bytes)}, again{std::span<std::byte const>(bytes)};
    CHECK(choices() == 0x0201);
    CHECK(choices() == 0xFF);
    std::set<std::uint64_t> behind;
    for (int i = 0; i < 100; ++i) behind.insert(choices());
    CHECK(behind.size() == 100);
    for (int i = 0; i < 2; ++i) again();
    CHECK(behind.count(again()) == 1);  // always the same
}

TEST_CASE("A seed makes the same choices each time, and another seed others") {
    Choices one(7), same(7), other(8);
    auto const first = one();
    CHECK(same() == first);
    CHECK(other() != first);
}
