// NatsBackplane over TLS, and where there is more than one server.
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <nats/nats.h>

#include "tests/contract/nats_fixture.hpp"
#include "tests/support/test_certificate.hpp"

using namespace hubbub;
using namespace hubbub_test;
using namespace std::chrono_literals;

namespace {

void reaches(NatsOptions const& options) {
    NatsNode node(options, 1);
    node.ready().subscribe("talk");
    CHECK(node.publish_and_wait("talk", "x", nullptr).outcome == BackplaneOutcome::done);
    CHECK(node.bodies("talk", 1) == std::vector<std::string>{"x"});
}
void is_refused(NatsOptions const& options, std::string const& why) {
    NatsNode node(options, 1);
    node.wait_event("backplane_unreachable: " + why);
    CHECK(node.readies() == 0);
}

/// What OpenSSL takes for the certificates that the system trusts, as long as it lives.
struct Trusted {
    explicit Trusted(std::string const& file) { ::setenv("SSL_CERT_FILE", file.c_str(), 1); }
    ~Trusted() { ::unsetenv("SSL_CERT_FILE"); }
    Trusted(Trusted const&) = delete;
    Trusted& operator=(Trusted const&) = delete;
};

/// Three servers, each of which knows the others.
struct NatsCluster {
    static constexpr std::size_t count = 3;
    std::array<std::unique_ptr<NatsServer>, count> servers;

    NatsCluster() {
        std::array<std::string, count> routes;
        std::string all;
        for (std::string& route : routes) {
            route = "nats://127.0.0.1:" + std::to_string(free_port());
            all += (all.empty() ? "" : ",") + route;
        }
        for (std::size_t i = 0; i < count; ++i)
            servers[i] = std::make_unique<NatsServer>(std::vector<std::string>{
                "-js", "-n", "server" + std::to_string(i), "-cluster_name", "cluster", "-cluster", routes[i], "-routes", all});
    }
    NatsOptions options() const {
        NatsOptions options = impatient();
        for (auto const& server : servers) options.urls.push_back(server->url());
        options.replicas = 3;
        options.answer_limit = 3000ms;
        return options;
    }
};

/// Each history has a leader, and all that follow it have what it has.
bool is_whole(NatsServer const& server) {
    natsConnection* connection = nullptr;
    jsCtx* context = nullptr;
    jsStreamInfoList* list = nullptr;
    bool whole = natsConnection_ConnectTo(&connection, server.url().c_str()) == NATS_OK &&
                 natsConnection_JetStream(&context, connection, nullptr) == NATS_OK &&
                 js_Streams(&list, context, nullptr, nullptr) == NATS_OK;
    for (int i = 0; whole && i < list->Count; ++i) {
        jsClusterInfo const* const cluster = list->List[i]->Cluster;
        whole = cluster && cluster->Leader && cluster->ReplicasLen == NatsCluster::count - 1;
        for (int j = 0; whole && j < cluster->ReplicasLen; ++j) whole = cluster->Replicas[j]->Current;
    }
    jsStreamInfoList_Destroy(list);
    jsCtx_Destroy(context);
    natsConnection_Destroy(connection);
    return whole;
}

}  // namespace

TEST_CASE("NatsBackplane speaks TLS") {
    if (!has_nats()) return;
    ScratchFolder const folder;
    auto const authority = TestCertificate::make({.common_name = "authority", .names = {}, .is_authority = true});
    auto const its = TestCertificate::make({.issuer = &authority});
    auto const ours = TestCertificate::make({.common_name = "hub", .names = {}, .issuer = &authority});
    std::string const authorities = folder.write("authority.pem", authority.certificate);
    NatsServer const server({"--tls", "--tlscert", folder.write("its.pem", its.certificate), "--tlskey",
                             folder.write("its.key", its.key), "--tlsverify", "--tlscacert", authorities});
    NatsOptions options = impatient();
    options.url = "tls://localhost:" + std::to_string(server.port());
    options.tls.authorities_file = authorities;
    options.tls.certificate_file = folder.write("ours.pem", ours.certificate);
    options.tls.key_file = folder.write("ours.key", ours.key);
    SECTION("with what both want to see") { reaches(options); }
    SECTION("where the server wants it, or the option does, and not the url") {
        options.url.replace(0, 3, "nats");
        reaches(options);
        options.tls.required = true;
        reaches(options);
    }
    SECTION("to a server that has another name") {
        options.url = "tls://127.0.0.1:" + std::to_string(server.port());
        is_refused(options, "SSL Error");
        options.tls.expected_name = "localhost";
        reaches(options);
    }
    SECTION("to a server that somebody unknown has signed") {
        options.tls.authorities_file = options.tls.certificate_file;
        is_refused(options, "SSL Error");
    }
    SECTION("to a server that the system trusts, or does not") {
        options.tls.authorities_file = {};
        is_refused(options, "SSL Error");
        Trusted const trusted(authorities);
        reaches(options);
    }
    SECTION("without what the server wants to see") {
        options.tls.certificate_file = options.tls.key_file = {};
        is_refused(options, "");
    }
}

TEST_CASE("NatsBackplane does not speak TLS to who does not, and does not do without") {
    if (!has_nats()) return;
    NatsServer const server;
    NatsOptions options = impatient();
    options.url = "tls://127.0.0.1:" + std::to_string(server.port());
    is_refused(options, "");
}

TEST_CASE("NatsBackplane goes on in a cluster that has lost a server, and its histories with it") {
    if (!has_nats()) return;
    NatsCluster cluster;
    HistoryLimits const limits{.messages = 100};
    NatsNode one(cluster.options(), 1), other(cluster.options(), 2);
    one.ready().subscribe("kept");
    other.ready();
    // The servers agree first on who keeps what; until then a history is refused.
    Position before;
    CHECK(hubbub_contract::eventually([&] {
        auto const answer = other.publish_and_wait("kept", "before", &limits);
        before = answer.position;
        return answer.outcome == BackplaneOutcome::done;
    }));
    one.messages("kept", 1);
    for (std::size_t i = 0; i < NatsCluster::count; ++i) {
        CAPTURE(i);
        std::string const now = "without " + std::to_string(i);
        cluster.servers[i]->stop(SIGKILL);
        // Whoever was connected to it goes to another one; who leads the history is elected anew, for which the servers take their time.
        constexpr std::chrono::seconds patience{120};
        Position after;
        REQUIRE(hubbub_contract::eventually(
            [&] {
                std::uint64_t const serial = other.publish("kept", now, &limits);
                if (serial == 0) return false;
                auto const answer = other.answer(serial);
                after = answer.position;
                return answer.outcome == BackplaneOutcome::done;
            },
            patience));
        CAPTURE(one.events(), other.events());
        CHECK(after.epoch == before.epoch);
        NatsNode::Page page;
        CHECK(hubbub_contract::eventually(
            [&] {  // whoever asks while they elect is told to come back
                page = one.ready().read_all("kept", limits, before);
                return !page.failed;
            },
            patience));
        CHECK(page.complete);
        REQUIRE_FALSE(page.bodies().empty());
        CHECK(page.bodies().back() == now);
        before = after;
        cluster.servers[i]->start();
        CHECK(hubbub_contract::eventually([&] { return is_whole(*cluster.servers[i]); }, patience));
    }
}
