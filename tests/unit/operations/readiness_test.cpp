#include <hubbub/operations/readiness.hpp>

#include "tests/support/catch.hpp"
#include "tests/unit/hub/memory_world.hpp"

namespace readiness {

using namespace memory_world;

HubSnapshot quiet() {
    HubSnapshot hub;
    hub.shards.resize(2);
    hub.memory_used = 10;
    hub.memory_high = 80;
    hub.memory_limit = 100;
    return hub;
}
std::string page(MemoryWire const& wire) {
    return wire.received.substr(9, 3) + wire.received.substr(wire.received.find("\r\n\r\n") + 4);
}

}  // namespace readiness

using namespace readiness;

TEST_CASE("A quiet hub is ready") {
    Readiness const now = Readiness::of(quiet());
    CHECK(now.is_ready());
    CHECK(now.text() == "accepting: yes\nbackplane: yes\nmemory: yes\n");
}

TEST_CASE("What is not ready says why, and the rest does not suffer") {
    HubSnapshot hub = quiet();
    hub.backplane = {.continuous = false, .brokers = 3, .ready = 1};
    CHECK(Readiness::of(hub).text() ==
          "accepting: yes\nbackplane: no, 2 of 3 brokers cannot be reached or are still connecting\nmemory: yes\n");
    hub = quiet();
    hub.memory_used = 81;
    CHECK(Readiness::of(hub).text() ==
          "accepting: yes\nbackplane: yes\nmemory: no, 81 of 100 bytes are used: new clients are refused\n");
    hub = quiet();
    hub.shards[1].is_draining = true;
    CHECK(Readiness::of(hub).text() == "accepting: no, the hub drains\nbackplane: yes\nmemory: yes\n");
    CHECK_FALSE(Readiness::of(hub).is_ready());
}

TEST_CASE("The pages of health answer everybody") {
    HubOptions<> options;
    options.routes = std::make_shared<http::Routes>();
    World<Told<>> world(Told<>(), 2, options);
    add_health(*options.routes, world.hub);
    CHECK(page(*world.connect("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")) == "200alive\n");
    auto const ready = world.connect("GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(page(*ready) == "200accepting: yes\nbackplane: yes\nmemory: yes\n");
    CHECK(ready->received.find("Cache-Control: no-store") != std::string::npos);
}
