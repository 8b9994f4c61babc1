#include <hubbub/backplane/nats/nats_backplane.hpp>

#include <nats/nats.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/contract/backplane_contract.hpp"
#include "tests/support/nats_proxy.hpp"
#include "tests/support/nats_server.hpp"

using namespace hubbub;
using namespace std::chrono_literals;

namespace {

struct NatsFixture {
    using Backplane = NatsBackplane;

    explicit NatsFixture(std::vector<std::string> arguments = {"-js"}) : server(std::move(arguments)), proxy(server.port()) {}

    NatsOptions options() const {
        NatsOptions options;
        options.url = "nats://127.0.0.1:" + std::to_string(proxy.port());
        options.probe_every = 100ms;
        options.probe_limit = 1000ms;
        options.connect_limit = 1000ms;
        options.pause_first = 20ms;
        options.pause_most = 200ms;
        return options;
    }
    void cut() { proxy.cut(); }
    void freeze() { server.send_signal(SIGSTOP); }
    void thaw() { server.send_signal(SIGCONT); }
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
using Node = hubbub_contract::BackplaneNode<NatsBackplane>;

bool is_here() {
    if (hubbub_test::NatsServer::is_installed()) return true;
    WARN("left out: nats-server is not installed");
    return false;
}

}  // namespace

TEST_CASE("NatsBackplane: publications without history") {
    if (is_here()) hubbub_contract::plain_publications_keep_the_contract<NatsFixture>();
}
TEST_CASE("NatsBackplane: publications with history") {
    if (is_here()) hubbub_contract::publications_with_history_keep_the_contract<NatsFixture>();
}
TEST_CASE("NatsBackplane: reading") {
    if (is_here()) hubbub_contract::reading_keeps_the_contract<NatsFixture>();
}
TEST_CASE("NatsBackplane: losses") {
    if (is_here()) hubbub_contract::losses_keep_the_contract<NatsFixture>();
}
