// The same over connections that are read with websocketpp.
#include <hubbub/testing/seeds.hpp>
#include <hubbub/transport/websocketpp/websocketpp_connection.hpp>

#include "tests/simulation/hub_run.hpp"
#include "tests/support/catch.hpp"

TEST_CASE("L0, L1 and single ends hold for a whole hub that reads with websocketpp") {
    using hubbub::testing::Seeds;
    using Run = hub_simulation::HubRun<hubbub::WebsocketppConnection<hubbub::MemoryConnection>>;
    for (auto const seed : Seeds(300)) {
        INFO(Seeds::replay(seed, "L0, L1 and single ends hold for a whole hub that reads with websocketpp"));
        CHECK_NOTHROW(Run(seed).run(80));
    }
}
