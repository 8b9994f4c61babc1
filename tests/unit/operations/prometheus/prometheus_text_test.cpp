#include <hubbub/operations/prometheus/metrics_page.hpp>

#include <algorithm>
#include <regex>
#include <set>
#include <string>

#include "tests/support/catch.hpp"
#include "tests/unit/hub/memory_world.hpp"

namespace prometheus_text {

using namespace memory_world;

std::string text_of(HubSnapshot const& hub) {
    PrometheusText text;
    write_metrics(text, hub);
    return text.text();
}
/// The value of one sample, by its name and labels as they are written.
double value(std::string const& text, std::string const& sample) {
    auto const at = text.find("\n" + sample + " ");
    INFO(sample);
    REQUIRE(at != std::string::npos);
    return std::stod(text.substr(at + sample.size() + 2));
}
PeerAddress local() {
    PeerAddress peer{.family = PeerAddress::Family::ipv4};
    peer.bytes[0] = 127;
    peer.bytes[3] = 1;
    return peer;
}

}  // namespace prometheus_text

using namespace prometheus_text;

TEST_CASE("Labels are escaped, and histograms are cumulative and in seconds") {
    HubSnapshot hub;
    hub.shards.resize(1);
    hub.shards[0].listed.push_back({.name = "a \"quoted\"\\ name\n", .members = 3, .published = 5});
    hub.shards[0].measures.round_trips.observe(std::chrono::milliseconds(2));
    hub.shards[0].measures.round_trips.observe(std::chrono::seconds(100));
    std::string const text = text_of(hub);
    CHECK(value(text, R"(hubbub_topic_subscriptions{topic="a \"quoted\"\\ name\n"})") == 3);
    CHECK(value(text, R"(hubbub_ping_round_trip_seconds_bucket{le="0.001"})") == 0);
    CHECK(value(text, R"(hubbub_ping_round_trip_seconds_bucket{le="0.0025"})") == 1);
    CHECK(value(text, R"(hubbub_ping_round_trip_seconds_bucket{le="+Inf"})") == 2);
    CHECK(value(text, "hubbub_ping_round_trip_seconds_count") == 2);
    CHECK(value(text, "hubbub_ping_round_trip_seconds_sum") == Approx(100.002));
}

TEST_CASE("Every metric has the prefix, a help, and appears once; counters end in _total and nothing else does") {
    PrometheusText text;
    HubSnapshot hub;
    hub.shards.resize(2);
    hub.shards[0].listed.push_back({.name = "t"});
    write_metrics(text, hub);
    std::set<std::string> names;
    for (auto const& family : text.families()) {
        CAPTURE(family.name);
        CHECK(names.insert(family.name).second);
        CHECK(std::regex_match(family.name, std::regex("hubbub_[a-z_]+")));
        CHECK(family.help.ends_with('.'));
        CHECK(family.name.ends_with("_total") == (family.type == prometheus::MetricType::Counter));
    }
    CHECK(names.size() > 50);
}

TEST_CASE("The page tells this machine what was counted, and strangers nothing") {
    HubOptions<> options;
    options.routes = std::make_shared<http::Routes>();
    Told<> handler;
    handler.hooks->open = [](auto& session) { session.subscribe("news"); };
    handler.hooks->message = [](auto& session, MessageView) { session.publish("news", "hello"); };
    World<Told<>> world(handler, 2, options);
    add_metrics(*options.routes, world.hub, {.topics = {"news", "nothing"}});
    auto alice = world.connect();
    world.connect();
    world.say(*alice, "x");
    auto const page = world.connect("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", MemoryMode::direct, local());
    CHECK(page->received.substr(9, 3) == "200");
    CHECK(page->received.find("Content-Type: text/plain; version=0.0.4") != std::string::npos);
    CHECK(value(page->received, "hubbub_messages_received_total") == 1);
    CHECK(value(page->received, "hubbub_deliveries_written_total") == 2);
    CHECK(value(page->received, R"(hubbub_topic_subscriptions{topic="news"})") == 2);
    CHECK(value(page->received, R"(hubbub_topic_publications_total{topic="news"})") == 1);
    CHECK(page->received.find("nothing") == std::string::npos);
    auto const stranger = world.connect("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK(stranger->received.substr(9, 3) == "403");
    CHECK(stranger->received.find("hubbub_") == std::string::npos);
}
