// L1 to L4 over several hubs and a broker: see cluster_run.hpp.
#include "tests/simulation/cluster_run.hpp"

#include <hubbub/testing/seeds.hpp>

#include "tests/support/catch.hpp"

TEST_CASE("L1 to L4 hold for hubs that a broker connects, whatever happens in whichever order") {
    using hubbub::testing::Seeds;
    std::uint64_t recovered = 0, lost = 0, apart = 0;
    for (auto const seed : Seeds(300)) {
        INFO(Seeds::replay(seed, "L1 to L4 hold for hubs that a broker connects, whatever happens in whichever order"));
        CHECK_NOTHROW([&] {
            cluster_simulation::ClusterRun run(seed);
            run.run(150);
            recovered += run.recovered();
            lost += run.lost();
            apart += run.apart();
        }());
    }
    CHECK(recovered > 0);
    CHECK(lost > 0);
    CHECK(apart > 0);
}
