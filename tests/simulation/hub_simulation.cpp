// Random programs over a whole hub: one to four shards, clients in every mode of writing that join, leave, publish, stall and
// vanish, hooks that call everything, other threads, mailboxes that fill. What is checked after each step: see hub_run.hpp.
#include "tests/simulation/hub_run.hpp"

#include <hubbub/testing/seeds.hpp>

#include "tests/support/catch.hpp"

TEST_CASE("L0, L1 and single ends hold for a whole hub, whatever happens in whichever order") {
    using hubbub::testing::Seeds;
    for (auto const seed : Seeds(300)) {
        INFO(Seeds::replay(seed, "L0, L1 and single ends hold for a whole hub, whatever happens in whichever order"));
        CHECK_NOTHROW(hub_simulation::HubRun(seed).run(80));
    }
}
