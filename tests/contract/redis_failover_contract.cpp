// RedisBackplane where there is more than one server: sentinels and their replicas, and a cluster.
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <hubbub/backplane/redis/redis_names.hpp>

#include "tests/contract/redis_fixture.hpp"

using namespace hubbub_test;

namespace {

/// A master, a replica, and a sentinel that watches them.
struct Watched {
    RedisServer one{{"--requirepass", "pw", "--masterauth", "pw"}};
    RedisServer other{{"--requirepass", "pw", "--masterauth", "pw", "--replicaof", "127.0.0.1 " + one.port_text()}};
    ScratchFolder folder;
    std::uint16_t port = free_port();
    std::optional<ChildProcess> sentinel;

    Watched() {
        RedisServer::wait_until(
            [&] { return other.ask({"INFO", "replication"}, "pw").find("link_status:up") != std::string::npos; });
        std::ofstream(folder / "sentinel.conf") << "port " << port << "\nbind 127.0.0.1\ndir " << folder.text()
                                                << "\nrequirepass sentinelpw\nsentinel monitor main 127.0.0.1 " << one.port()
                                                << " 1\nsentinel auth-pass main pw\nsentinel down-after-milliseconds main 300\n"
                                                   "sentinel failover-timeout main 3000\n";
        sentinel.emplace(std::vector<std::string>{find_program("redis-server"), folder / "sentinel.conf", "--sentinel"},
                         folder / "log");
        RedisServer::wait_until([&] {
            std::string const info = ask_redis(port, {"INFO", "sentinel"}, "sentinelpw");
            return info.find("status=ok") != std::string::npos && info.find("slaves=1") != std::string::npos;
        });
    }
    hubbub::RedisOptions options() const {
        std::string const nobody = std::to_string(free_port());
        auto made = soon("sentinel://pw@127.0.0.1:" + nobody + ",127.0.0.1:" + std::to_string(port) + "/main");
        made.sentinel_password = "sentinelpw";
        return made;
    }
};

}  // namespace

TEST_CASE("RedisBackplane asks sentinels who is the master, and goes with it", "[tcp]") {
    if (!has_redis()) return;
    Watched redis;
    works(redis.options());
    Node one(redis.options(), 1), other(redis.options(), 2);
    auto const limits = ten_thousand();
    one.ready().subscribe("kept");
    other.ready();
    Position const before = other.publish_and_wait("kept", "before", &limits).position;
    one.messages("kept", 1);

    SECTION("when it dies") { redis.one.end(); }
    SECTION("when they choose another") {
        CHECK(eventually([&] { return ask_redis(redis.port, {"SENTINEL", "FAILOVER", "main"}, "sentinelpw") == "OK"; }));
    }
    other.wait_event("backplane_connected: 127.0.0.1:" + redis.other.port_text());
    one.wait_event("backplane_connected: 127.0.0.1:" + redis.other.port_text());
    // Connected is not subscribed yet: something that is not kept goes ahead until it is heard.
    CHECK(eventually([&] {
        other.publish_and_wait("kept", "ahead", nullptr);
        return one.messages("kept").back().body == "ahead";
    }));
    auto const after = other.publish_and_wait("kept", "after", &limits);
    CHECK(after.position.epoch != before.epoch);
    CHECK(after.position.offset == 1);
    CHECK(eventually([&] {
        auto const all = one.messages("kept");
        return !all.empty() && all.back().body == "after";
    }));
    auto const page = one.ready().read("kept", limits, before);
    CHECK_FALSE(page.complete);
    CHECK(page.bodies() == std::vector<std::string>{"after"});
}

TEST_CASE("RedisBackplane says that the sentinels know no such master", "[tcp]") {
    if (!has_redis()) return;
    Watched const redis;
    auto options = redis.options();
    options.url.replace(options.url.find("/main"), 5, "/other");
    fails(options, "the sentinel knows no such master");
    options.sentinel_password = "secret";
    fails(options, "WRONGPASS");
}

namespace {

/// Three masters, each behind a proxy that the others announce it by.
struct Cluster {
    static constexpr std::size_t count = 3;
    std::array<std::unique_ptr<ByteProxy>, count> proxies;
    std::array<std::unique_ptr<RedisServer>, count> servers;
    std::array<std::uint16_t, count> buses;

    Cluster() {
        for (std::size_t i = 0; i < count; ++i) {
            proxies[i] = std::make_unique<ByteProxy>(std::uint16_t{0});
            buses[i] = free_port();
            servers[i] = std::make_unique<RedisServer>(std::vector<std::string>{
                "--cluster-enabled", "yes", "--cluster-port", std::to_string(buses[i]), "--cluster-announce-port",
                std::to_string(proxies[i]->port()), "--cluster-announce-ip", "127.0.0.1", "--cluster-node-timeout", "2000"});
            proxies[i]->aim(servers[i]->port());
            std::string const first = std::to_string(16384 * i / count), last = std::to_string(16384 * (i + 1) / count - 1);
            servers[i]->ask({"CLUSTER", "ADDSLOTSRANGE", first, last});
            servers[i]->ask({"CLUSTER", "SET-CONFIG-EPOCH", std::to_string(i + 1)});
            if (i > 0)
                servers[i]->ask({"CLUSTER", "MEET", "127.0.0.1", std::to_string(proxies[0]->port()), std::to_string(buses[0])});
        }
        wait_ok();
    }
    void wait_ok() const {
        for (auto const& server : servers)
            RedisServer::wait_until([&] {
                std::string const info = server->ask({"CLUSTER", "INFO"});
                return info.find("cluster_state:ok") != std::string::npos &&
                       info.find("cluster_known_nodes:3") != std::string::npos &&
                       info.find("cluster_slots_ok:16384") != std::string::npos;
            });
    }
    hubbub::RedisOptions options() const { return soon("redis-cluster://127.0.0.1:" + std::to_string(proxies[0]->port())); }
    /// At one moment: a node that was back between two of them would be cut twice.
    void cut() {
        for (auto const& proxy : proxies) proxy->hold();
        for (auto const& proxy : proxies) proxy->release();
    }
    void freeze() {
        for (auto const& server : servers) server->freeze();
    }
    void thaw() {
        for (auto const& server : servers) server->thaw();
        wait_ok();
    }
    void deafen() { proxies[1]->deafen("SSUBSCRIBE"); }  // one is enough
    void empty() {
        for (auto const& server : servers) server->ask({"FLUSHALL"});
    }
    void restart() {
        for (auto const& server : servers) server->restart();
        wait_ok();
    }
    std::string id(std::size_t i) const { return servers[i]->ask({"CLUSTER", "MYID"}); }
    std::size_t owner(std::uint16_t slot) const {
        for (std::size_t i = 0; i < count; ++i)
            if (slot >= 16384 * i / count && slot <= 16384 * (i + 1) / count - 1) return i;
        return count;
    }
};

/// One for all sections, because it takes its time to begin. Each begins with an empty one.
struct ClusterFixture {
    using Backplane = hubbub::RedisBackplane;
    Cluster& cluster = shared();

    ClusterFixture() { empty(); }
    static Cluster& shared() {
        static Cluster one;
        return one;
    }
    hubbub::RedisOptions options() const { return cluster.options(); }
    void cut() { cluster.cut(); }
    void freeze() { cluster.freeze(); }
    void thaw() { cluster.thaw(); }
    void deafen() { cluster.deafen(); }
    void empty() { cluster.empty(); }
    void restart() { cluster.restart(); }
};

}  // namespace

TEST_CASE("RedisBackplane publishes in a cluster as a RemoteBackplane must", "[tcp]") {
    if (has_redis()) plain_publications_keep_the_contract<ClusterFixture>();
}

TEST_CASE("RedisBackplane publishes with history in a cluster as a RemoteBackplane must", "[tcp]") {
    if (has_redis()) publications_with_history_keep_the_contract<ClusterFixture>();
}

TEST_CASE("RedisBackplane reads in a cluster as a RemoteBackplane must", "[tcp]") {
    if (has_redis()) reading_keeps_the_contract<ClusterFixture>();
}

TEST_CASE("RedisBackplane loses and finds a cluster as a RemoteBackplane must", "[tcp]") {
    if (has_redis()) losses_keep_the_contract<ClusterFixture>();
}

TEST_CASE("RedisBackplane goes with a slot that a cluster moves, and loses nothing", "[tcp]") {
    if (!has_redis()) return;
    Cluster fixture;
    std::string const topic = "moves";
    hubbub::detail::RedisNames const names("hubbub", 0);
    std::string const channel = names.channel(topic);
    std::uint16_t const slot = hubbub::detail::redis_slot(channel);
    std::size_t const from = fixture.owner(slot), to = (from + 1) % Cluster::count;
    std::string const number = std::to_string(slot);
    Node one(fixture.options(), 1), other(fixture.options(), 2);
    auto const limits = ten_thousand();
    one.ready().subscribe(topic);
    other.ready();
    Position const before = other.publish_and_wait(topic, "m1", &limits).position;
    RedisServer const &source = *fixture.servers[from], &target = *fixture.servers[to];
    CHECK(target.ask({"CLUSTER", "SETSLOT", number, "IMPORTING", fixture.id(from)}) == "OK");
    CHECK(source.ask({"CLUSTER", "SETSLOT", number, "MIGRATING", fixture.id(to)}) == "OK");
    CHECK(source.ask({"MIGRATE", "127.0.0.1", target.port_text(), channel + ":n", "0", "5000"}) == "OK");
    // Some of its keys are there and some here: neither takes it.
    auto const serials = other.publish_together(topic, numbered("m", 2, 6), &limits);
    other.ask_to_read(topic, limits, before);
    CHECK(other.publish_and_wait("another", "x", &limits).outcome == BackplaneOutcome::done);
    CHECK(other.messages(topic).empty());
    for (std::string const key : {":m", ":s"})
        CHECK(source.ask({"MIGRATE", "127.0.0.1", target.port_text(), channel + key, "0", "5000"}) == "OK");
    for (RedisServer const* const server : {&target, &source})
        CHECK(server->ask({"CLUSTER", "SETSLOT", number, "NODE", fixture.id(to)}) == "OK");
    // The new master has another replication id, so the topic has another epoch; but no publication is lost and none comes twice.
    std::vector<std::string> const all = numbered("m", 2, 6);
    std::size_t known = serials.size();
    for (std::size_t i = serials.size(); i-- > 0;)  // all of them, so that no answer is taken for that to the next try
        if (other.answer(serials[i]).outcome == BackplaneOutcome::unknown) known = i;
    for (std::size_t i = known; i < serials.size(); ++i) other.publish_and_wait(topic, all[i], &limits, {}, serials[i]);
    one.ready(2);
    one.wait_subscribed(topic, 2);
    auto const last = other.publish_and_wait(topic, "m7", &limits);
    CHECK(last.outcome == BackplaneOutcome::done);
    CHECK(one.read_all(topic, limits).bodies() == numbered("m", 2, 7));
    CHECK(eventually([&] { return one.messages(topic).back().body == "m7"; }));
}

TEST_CASE("RedisBackplane is not ready while a master of a cluster is away", "[tcp]") {
    if (!has_redis()) return;
    Cluster fixture;
    Node node(fixture.options(), 1);
    node.ready();
    fixture.servers[2]->end();
    node.wait_not_ready();
    fixture.servers[2]->start();
    fixture.wait_ok();
    node.ready(2);
    works(fixture.options());
}
