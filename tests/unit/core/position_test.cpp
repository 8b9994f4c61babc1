#include <hubbub/core/position.hpp>

#include "tests/support/catch.hpp"

using hubbub::Position;

TEST_CASE("Positions of one epoch are ordered by their offset, and the epoch counts first") {
    CHECK(Position{1, 9} < Position{1, 10});
    CHECK(Position{1, 10} < Position{2, 0});
    CHECK(Position{3, 4} == Position{3, 4});
    CHECK(Position{3, 4} != Position{4, 4});
    CHECK(Position{} == Position{0, 0});
}
