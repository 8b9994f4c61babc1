#include <hubbub/backplane/nats/nats_backplane.hpp>

#include <nats/nats.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/contract/nats_fixture.hpp"
#include "tests/support/nats_proxy.hpp"

using namespace hubbub;
using namespace std::chrono_literals;

namespace {

struct NatsFixture {
    using Backplane = NatsBackplane;

    explicit NatsFixture(std::vector<std::string> arguments = {"-js"}) : server(std::move(arguments)), proxy(server.port()) {}

    NatsOptions options() const { return hubbub_test::impatient("nats://127.0.0.1:" + std::to_string(proxy.port())); }
    void cut() { proxy.cut(); }
    void freeze() { server.freeze(); }
    void thaw() { server.thaw(); }
    void deafen() { proxy.deafen(); }
    void empty() {
        natsConnection* connection = nullptr;
        jsCtx* stream_context = nullptr;
        jsStreamNamesList* list = nullptr;
        REQUIRE(natsConnection_ConnectTo(&connection, server.url().c_str()) == NATS_OK);
        REQUIRE(natsConnection_JetStream(&stream_context, connection, nullptr) == NATS_OK);
        REQUIRE(js_StreamNames(&list, stream_context, nullptr, nullptr) == NATS_OK);
        for (int i = 0; i < list->Count; ++i)
            CHECK(js_DeleteStream(stream_context, list->List[i], nullptr, nullptr) == NATS_OK);
        jsStreamNamesList_Destroy(list);
        jsCtx_Destroy(stream_context);
        natsConnection_Destroy(connection);
    }
    void restart() {
        server.stop();
        server.start();
    }

    hubbub_test::NatsServer server;
    hubbub_test::NatsProxy proxy;
};
using Node = hubbub_test::NatsNode;
using hubbub_test::has_nats;

}  // namespace

TEST_CASE("NatsBackplane: publications without history") {
    if (has_nats()) hubbub_contract::plain_publications_keep_the_contract<NatsFixture>();
}
TEST_CASE("NatsBackplane: publications with history") {
    if (has_nats()) hubbub_contract::publications_with_history_keep_the_contract<NatsFixture>();
}
TEST_CASE("NatsBackplane: reading") {
    if (has_nats()) hubbub_contract::reading_keeps_the_contract<NatsFixture>();
}
TEST_CASE("NatsBackplane: losses") {
    if (has_nats()) hubbub_contract::losses_keep_the_contract<NatsFixture>();
}

TEST_CASE("NatsBackplane: without JetStream there are no histories, and the rest goes on") {
    if (!has_nats()) return;
    NatsFixture fixture(std::vector<std::string>{});
    Node node(fixture.options(), 1);
    HistoryLimits const limits{.messages = 10};
    node.ready().subscribe("talk");
    CHECK(node.publish_and_wait("kept", "x", &limits).outcome == BackplaneOutcome::refused);
    CHECK(node.read("kept", limits).failed);
    CHECK(node.events().find("backplane_without_history") != std::string::npos);
    CHECK(node.publish_and_wait("talk", "plain", nullptr).outcome == BackplaneOutcome::done);
    CHECK(node.bodies("talk", 1) == std::vector<std::string>{"plain"});
}

TEST_CASE("NatsBackplane: a wrong password is told, without the password, and the right one works") {
    if (!has_nats()) return;
    NatsFixture fixture({"-js", "--user", "hub", "--pass", "right-one"});
    auto options = fixture.options();
    options.user = "hub";
    options.password = "wrong-one";
    {
        Node node(options, 1);
        node.wait_event("backplane_unreachable");
        CHECK(node.events().find("one") == std::string::npos);
        CHECK(node.readies() == 0);
    }
    options.password = "right-one";
    Node node(options, 1);
    node.ready();
    CHECK(node.publish_and_wait("talk", "x", nullptr).outcome == BackplaneOutcome::done);
}

TEST_CASE("NatsBackplane: a server that is not there is waited for") {
    if (!has_nats()) return;
    NatsFixture fixture;
    fixture.server.stop();
    Node node(fixture.options(), 1);
    node.wait_event("backplane_unreachable");
    node.ask_to_subscribe("talk");
    fixture.server.start();
    node.ready();
    node.wait_subscribed("talk", 1);
}

TEST_CASE("NatsBackplane: a restart with files keeps the history") {
    if (!has_nats()) return;
    bool const trusted = GENERATE(false, true);
    bool const lost = GENERATE(false, true);
    NatsFixture fixture;
    auto options = fixture.options();
    options.storage = NatsStorage::file;
    options.new_epoch_after_restart = !trusted;
    HistoryLimits const limits{.messages = 10};
    Node node(options, 1);
    auto const before = node.ready().publish_and_wait("kept", "before", &limits).position;
    fixture.server.stop();
    if (lost) fixture.server.lose_storage();
    fixture.server.start();
    auto const page = node.ready(2).read_all("kept", limits, before);
    CHECK((page.begins.epoch == before.epoch) == (trusted && !lost));
    CHECK(page.complete == (trusted && !lost));
    auto const all = node.read_all("kept", limits);
    CHECK(all.bodies() == (lost ? std::vector<std::string>{} : std::vector<std::string>{"before"}));
    auto const again = node.publish_and_wait("kept", "before", &limits, {}, 1);
    CHECK(again.outcome == (lost ? BackplaneOutcome::done : BackplaneOutcome::repeated));
}

TEST_CASE("NatsBackplane: announcements to a topic with history have no position") {
    if (!has_nats()) return;
    NatsFixture fixture;
    HistoryLimits const limits{.messages = 10};
    Node node(fixture.options(), 1);
    node.ready().subscribe("kept");
    node.publish_and_wait("kept", "a", &limits);
    node.publish_and_wait("kept", "b", nullptr);
    auto const messages = node.messages("kept", 2);
    for (auto const& message : messages) CHECK((message.position.offset != 0) == (message.body == "a"));
}

TEST_CASE("NatsBackplane: a stream with other limits gets those that are asked for") {
    if (!has_nats()) return;
    NatsFixture fixture;
    HistoryLimits limits{.messages = 10};
    Node node(fixture.options(), 1);
    node.ready();
    for (int i = 0; i < 10; ++i) node.publish_and_wait("kept", std::to_string(i), &limits);
    limits.messages = 3;
    CHECK(node.read_all("kept", limits).bodies() == std::vector<std::string>{"7", "8", "9"});
}

TEST_CASE("NatsBackplane: two hubs with prefixes of their own do not hear each other") {
    if (!has_nats()) return;
    NatsFixture fixture;
    auto options = fixture.options();
    Node one(options, 1);
    options.prefix = "other";
    Node other(options, 2);
    HistoryLimits const limits{.messages = 10};
    one.ready().subscribe("talk");
    other.ready().subscribe("talk");
    one.publish_and_wait("talk", "a", nullptr);
    CHECK(one.publish_and_wait("kept", "a", &limits).position.offset == 1);
    CHECK(other.publish_and_wait("kept", "b", &limits).position.offset == 1);
    other.publish_and_wait("talk", "b", nullptr);
    CHECK(one.bodies("talk", 1) == std::vector<std::string>{"a"});
    CHECK(other.bodies("talk", 1) == std::vector<std::string>{"b"});
}
