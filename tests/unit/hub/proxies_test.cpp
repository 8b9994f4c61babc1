#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "tests/unit/hub/memory_world.hpp"

using namespace memory_world;

namespace {

/// A hub that trusts 10.0.0.0/8, and tells each client what it takes him for.
struct ProxiedWorld : World<Told<>> {
    explicit ProxiedWorld(HubOptions<> options = {}, std::size_t shards = 1)
        : World(telling_the_peer(), shards, trusting(std::move(options))) {}

    /// Somebody from that address, whose request has these lines, and comes behind `before`.
    std::shared_ptr<MemoryWire> come(std::string_view from, std::string_view lines = {}, std::string text = {}) {
        text += request;
        text.insert(text.size() - 2, lines);
        return connect(text, MemoryMode::direct, *parse_address(from));
    }
    std::string status(MemoryWire const& wire) { return wire.received.substr(0, 12); }

   private:
    static HubOptions<> trusting(HubOptions<> options) {
        options.proxies.networks = {"10.0.0.0/8"};
        return options;
    }
    static Told<> telling_the_peer() {
        Told<> handler;
        handler.hooks->open = [](auto& session) { session.send(session.peer().to_string()); };
        return handler;
    }
};

}  // namespace

TEST_CASE("Behind a proxy that is trusted a session is where its client is") {
    ProxiedWorld world({}, 2);
    CHECK(messages(*world.come("10.0.0.1", "X-Forwarded-For: 192.0.2.7\r\n")) == Messages{"192.0.2.7"});
    CHECK(messages(*world.come("10.0.0.1", "X-Forwarded-For: 192.0.2.8\r\n")) == Messages{"192.0.2.8"});  // on the other shard
    CHECK(messages(*world.come("203.0.113.1", "X-Forwarded-For: 192.0.2.7\r\n")) == Messages{"203.0.113.1"});
    CHECK(messages(*world.come("10.0.0.1")) == Messages{"10.0.0.1"});
}

TEST_CASE("Limits per address count the client, and not the proxy") {
    ProxiedWorld world({.limits = {.per_address = 2}});
    for (int i = 0; i < 2; ++i)
        CHECK(world.status(*world.come("10.0.0.1", "X-Forwarded-For: 192.0.2.7\r\n")) == "HTTP/1.1 101");
    CHECK(world.status(*world.come("10.0.0.1", "X-Forwarded-For: 192.0.2.7\r\n")) == "HTTP/1.1 429");
    CHECK(world.status(*world.come("10.0.0.2", "X-Forwarded-For: 192.0.2.7\r\n")) ==
          "HTTP/1.1 429");                                            // another proxy, the same client
    CHECK(world.status(*world.come("192.0.2.7")) == "HTTP/1.1 429");  // and without a proxy
    CHECK(world.status(*world.come("10.0.0.1", "X-Forwarded-For: 192.0.2.8\r\n")) == "HTTP/1.1 101");
    // What a stranger writes does not make him another one.
    for (int i = 0; i < 2; ++i)
        CHECK(world.status(*world.come("203.0.113.1", "X-Forwarded-For: 198.51.100." + std::to_string(i) + "\r\n")) ==
              "HTTP/1.1 101");
    CHECK(world.status(*world.come("203.0.113.1", "X-Forwarded-For: 198.51.100.9\r\n")) == "HTTP/1.1 429");
}

TEST_CASE("Who comes through a proxy that says nothing of him is counted for the proxy") {
    ProxiedWorld world({.limits = {.per_address = 1}});
    CHECK(world.status(*world.come("10.0.0.1")) == "HTTP/1.1 101");
    CHECK(world.status(*world.come("10.0.0.1", "X-Forwarded-For: unknown\r\n")) == "HTTP/1.1 429");
    CHECK(world.status(*world.come("10.0.0.1", "X-Forwarded-For: 10.0.0.1\r\n")) == "HTTP/1.1 429");
    CHECK(world.status(*world.come("10.0.0.1", "X-Forwarded-For: 10.0.0.2\r\n")) == "HTTP/1.1 101");  // somebody inside
}

TEST_CASE("A place that a proxied client had is free when it has gone") {
    ProxiedWorld world({.limits = {.per_address = 1}});
    auto const first = world.come("10.0.0.1", "X-Forwarded-For: 192.0.2.7\r\n");
    CHECK(world.status(*world.come("10.0.0.1", "X-Forwarded-For: 192.0.2.7\r\n")) == "HTTP/1.1 429");
    first->lost = true;
    world.run();
    CHECK(world.status(*world.come("10.0.0.1", "X-Forwarded-For: 192.0.2.7\r\n")) == "HTTP/1.1 101");
}

TEST_CASE("Clients of one IPv6 network are one behind a proxy too") {
    ProxiedWorld world({.limits = {.per_address = 1}});
    CHECK(world.status(*world.come("10.0.0.1", "X-Forwarded-For: 2001:db8:0:1::1\r\n")) == "HTTP/1.1 101");
    CHECK(world.status(*world.come("10.0.0.1", "X-Forwarded-For: 2001:db8:0:1:ffff::2\r\n")) == "HTTP/1.1 429");
    CHECK(world.status(*world.come("10.0.0.1", "X-Forwarded-For: 2001:db8:0:2::1\r\n")) == "HTTP/1.1 101");
}

TEST_CASE("With the PROXY protocol a trusted proxy has to begin with its header, and nobody else may") {
    HubOptions<> options{.limits = {.per_address = 1}};
    options.proxies.proxy_protocol = true;
    ProxiedWorld world(std::move(options));
    std::string const header = "PROXY TCP4 192.0.2.7 10.0.0.1 4711 80\r\n";
    CHECK(world.status(*world.come("10.0.0.1", {}, header)) == "HTTP/1.1 101");
    CHECK(world.status(*world.come("10.0.0.1", {}, header)) == "HTTP/1.1 429");
    CHECK(world.status(*world.come("10.0.0.1", {}, "PROXY UNKNOWN\r\n")) == "HTTP/1.1 101");  // the proxy itself
    auto const without = world.come("10.0.0.1");
    CHECK(without->received.empty());
    CHECK(world.hub.snapshot(0).handshakes == 1);  // the one that was answered 429
    CHECK(world.status(*world.come("203.0.113.1", {}, header)) == "HTTP/1.1 400");
    // The header of the request goes on where that of the connection ends, if it ends at a proxy of ours.
    CHECK(world.status(*world.come("10.0.0.1", "X-Forwarded-For: 192.0.2.7\r\n", "PROXY TCP4 10.0.0.9 10.0.0.1 1 80\r\n")) ==
          "HTTP/1.1 429");
    CHECK(world.status(*world.come("10.0.0.1", "X-Forwarded-For: 192.0.2.9\r\n", "PROXY TCP4 10.0.0.9 10.0.0.1 1 80\r\n")) ==
          "HTTP/1.1 101");
}
