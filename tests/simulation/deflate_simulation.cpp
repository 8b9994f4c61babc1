// The same where some clients have agreed on permessage-deflate.
#include <hubbub/testing/seeds.hpp>

#include "tests/simulation/deflated_run.hpp"
#include "tests/support/catch.hpp"

TEST_CASE("L0, L1 and single ends hold for a whole hub of which some clients are compressed") {
    using hubbub::testing::Seeds;
    std::size_t compressed = 0;
    Seeds const seeds(300);
    for (auto const seed : seeds) {
        INFO(Seeds::replay(seed, "L0, L1 and single ends hold for a whole hub of which some clients are compressed"));
        CHECK_NOTHROW([&] {
            hub_simulation::DeflatedRun run(seed);
            run.run(80);
            compressed += run.compressed_messages();
        }());
    }
    INFO(compressed);
    CHECK(compressed > 0);
}
