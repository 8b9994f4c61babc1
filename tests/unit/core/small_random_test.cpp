#include <hubbub/core/small_random.hpp>

#include <cstdint>

#include "tests/support/catch.hpp"

using hubbub::detail::SmallRandom;

TEST_CASE("SmallRandom gives the numbers of SplitMix64") {
    SmallRandom random(1234567);
    CHECK(random() == 6457827717110365317u);
    CHECK(random() == 3203168211198807973u);
    CHECK(random() == 9817491932198370423u);
    CHECK(random() == 4593380528125082431u);
    CHECK(random() == 16408922859458223821u);
}
