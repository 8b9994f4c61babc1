// The code that docs/compression.md shows.
#include <memory>
#include <string>

#include <hubbub/testing/simulation.hpp>

#include "tests/support/catch.hpp"

// [policy]
#include <hubbub/ws/deflate/permessage_deflate.hpp>

struct Compressed : hubbub::DefaultPolicy {
    using Compression = hubbub::PermessageDeflate;
};
// [/policy]

namespace {
struct Echo : hubbub::NoopHandler {
    void on_message(auto& session, hubbub::MessageView message) { session.send(message); }
};
hubbub::HubOptions<Compressed> make_options() {
    // [options]
    hubbub::HubOptions<Compressed> options;
    options.compression.threshold = 512;         // bytes: smaller messages are sent as they are
    options.compression.client_takeover = true;  // clients may refer back: better for them, up to 32 KiB a session for us
    // [/options]
    return options;
}
}  // namespace

TEST_CASE("The options of the page about compression are what it says") {
    hubbub::testing::Simulation sim{3};
    auto hub = sim.hub<Compressed>(Echo{}, make_options());
    hubbub::testing::ClientOptions client;
    client.headers = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    client.inflate = [](std::string_view payload) { return std::string(payload.size(), '?'); };
    auto browser = sim.connect(hub, client);
    browser.send_text(std::string(511, 'x'));
    browser.send_text(std::string(512, 'x'));
    sim.run_until_idle();
    REQUIRE(browser.received().size() == 2);
    CHECK(browser.received()[0].payload == std::string(511, 'x'));
    CHECK(browser.stream().compressed() == 1);
    CHECK(browser.wire().received.find("Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n") !=
          std::string::npos);
}
