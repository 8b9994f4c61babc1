// L2 and L3 over topics that remember: see recovery_run.hpp.
#include "tests/simulation/recovery_run.hpp"

#include <hubbub/testing/seeds.hpp>

#include "tests/support/catch.hpp"

TEST_CASE("L2 and L3 hold for topics that remember, whatever happens in whichever order") {
    using hubbub::testing::Seeds;
    std::uint64_t recovered = 0, lost = 0;
    for (auto const seed : Seeds(300)) {
        INFO(Seeds::replay(seed, "L2 and L3 hold for topics that remember, whatever happens in whichever order"));
        CHECK_NOTHROW([&] {
            recovery_simulation::RecoveryRun run(seed);
            run.run(120);
            recovered += run.recovered();
            lost += run.lost();
        }());
    }
    CHECK(recovered > 0);
    CHECK(lost > 0);
}
