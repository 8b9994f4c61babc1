#include <hubbub/backplane/redis/redis_backplane.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/contract/redis_fixture.hpp"
#include "tests/support/test_certificate.hpp"

using namespace hubbub_test;

namespace {

/// One server behind a proxy.
template <bool splits>
struct RedisFixture {
    using Backplane = hubbub::RedisBackplane;

    RedisFixture() { proxy.split(splits); }
    hubbub::RedisOptions options() { return soon(local_url(proxy.port())); }
    void cut() { proxy.cut(); }
    void freeze() { server.freeze(); }
    void thaw() { server.thaw(); }
    void deafen() { proxy.deafen("SUBSCRIBE"); }
    void empty() { server.ask({"FLUSHALL"}); }
    void restart() { server.restart(); }

    RedisServer server;
    ByteProxy proxy{server.port()};
};
using OneServer = RedisFixture<false>;

}  // namespace

TEST_CASE("RedisBackplane publishes as a RemoteBackplane must", "[tcp]") {
    if (has_redis()) plain_publications_keep_the_contract<OneServer>();
}

TEST_CASE("RedisBackplane publishes with history as a RemoteBackplane must", "[tcp]") {
    if (has_redis()) publications_with_history_keep_the_contract<OneServer>();
}

TEST_CASE("RedisBackplane reads as a RemoteBackplane must", "[tcp]") {
    if (has_redis()) reading_keeps_the_contract<OneServer>();
}

TEST_CASE("RedisBackplane loses and finds its broker as a RemoteBackplane must", "[tcp]") {
    if (has_redis()) losses_keep_the_contract<OneServer>();
}

TEST_CASE("RedisBackplane says who it is", "[tcp]") {
    if (!has_redis()) return;
    RedisServer server({"--requirepass", "secret word", "--user", "hub", "on", ">secret~", "~*", "&*", "+@all"});
    std::string const at = "@127.0.0.1:" + server.port_text();
    works(soon("redis://secret%20word" + at));
    works(soon("redis://:secret%20word" + at));
    works(soon("redis://hub:secret~" + at));
    CHECK(server.ask({"KEYS", "*"}, "secret word").find("hubbub:{t:works}:m\n") != std::string::npos);
    works(soon("redis://hub:secret~" + at + "/5"));
    CHECK(server.ask({"INFO", "keyspace"}, "secret word").find("db5:keys=") != std::string::npos);
    fails(soon("redis://secret2" + at), "WRONGPASS");
    fails(soon("redis://hub:secret2" + at), "WRONGPASS");
    fails(soon(local_url(server.port())), "NOAUTH");
    fails(soon("redis://hub:secret~" + at + "/99"), "SELECT: ERR DB index is out of range");
    {
        Node node(soon("redis://hub:secret~" + at), 79);
        node.ready();
        CHECK(server.ask({"CLIENT", "LIST"}, "secret word").find("name=hubbub-79 ") != std::string::npos);
        CHECK(node.events().find("backplane_connected: 127.0.0.1:" + server.port_text()) == 0);
    }
}

TEST_CASE("RedisBackplane goes through a Unix socket", "[tcp]") {
    if (!has_redis()) return;
    ScratchFolder const folder;
    RedisServer const server({"--unixsocket", folder / "redis.sock", "--requirepass", "a&b"});
    works(soon("unix://" + (folder / "redis.sock") + "?password=a%26b&db=1"));
    fails(soon("unix://" + (folder / "none.sock")), "No such file");
}

TEST_CASE("RedisBackplane speaks TLS", "[tcp]") {
    if (!has_redis()) return;
    ScratchFolder const folder;
    auto const authority = TestCertificate::make({.common_name = "authority", .names = {}, .is_authority = true});
    auto const its = TestCertificate::make({.issuer = &authority});
    auto const ours = TestCertificate::make({.common_name = "hub", .names = {}, .issuer = &authority});
    std::string const authorities = folder.write("authority.pem", authority.certificate);
    std::string const port = std::to_string(free_port());
    RedisServer const server({"--tls-port", port, "--tls-cert-file", folder.write("its.pem", its.certificate), "--tls-key-file",
                              folder.write("its.key", its.key), "--tls-ca-cert-file", authorities});
    auto options = soon("rediss://localhost:" + port);
    options.tls.authorities = authorities;
    options.tls.certificate = folder.write("ours.pem", ours.certificate);
    options.tls.key = folder.write("ours.key", ours.key);
    works(options);
    SECTION("to a server that has another name") {
        options.url = "rediss://127.0.0.1:" + port;
        fails(options, "certificate verify failed");
        options.tls.name = "localhost";
        works(options);
    }
    SECTION("to a server that somebody unknown has signed") {
        options.tls.authorities = options.tls.certificate;
        fails(options, "certificate verify failed");
        options.tls.verify = false;
        works(options);
    }
    SECTION("without what the server wants to see") {
        options.tls.certificate = options.tls.key = {};
        fails(options, "backplane_retry");
    }
    SECTION("with files that are not there") {
        options.tls.authorities = folder / "none";
        fails(options, "tls.authorities: ");
        options.tls.authorities = authorities;
        options.tls.key = folder / "none";
        fails(options, "tls.key: ");
    }
}

TEST_CASE("RedisBackplane may have several servers, each for itself", "[tcp]") {
    if (!has_redis()) return;
    RedisServer const first, second;
    auto options = soon("redis://nowhere.invalid");
    options.urls = {local_url(first.port()), local_url(second.port())};
    CHECK(hubbub::RedisBackplane::brokers(options) == 2);
    works(options, 1);
    CHECK(first.ask({"DBSIZE"}) == "0");
    CHECK(second.ask({"DBSIZE"}) != "0");
    works(options, 0);
}

TEST_CASE("RedisBackplane keeps hubs with other prefixes apart", "[tcp]") {
    if (!has_redis()) return;
    RedisServer const server;
    auto options = soon(local_url(server.port()));
    Node one(options, 1);
    options.prefix = "other";
    Node other(options, 2);
    auto const limits = ten_thousand();
    one.ready().subscribe("same");
    other.ready().subscribe("same");
    CHECK(one.publish_and_wait("same", "a", &limits).position.offset == 1);
    CHECK(other.publish_and_wait("same", "b", &limits).position.offset == 1);
    CHECK(one.bodies("same", 1) == std::vector<std::string>{"a"});
    CHECK(other.bodies("same", 1) == std::vector<std::string>{"b"});
}

TEST_CASE("RedisBackplane loads its scripts again where they were forgotten, and keeps the order", "[tcp]") {
    if (!has_redis()) return;
    RedisServer const server;
    Node node(soon(local_url(server.port())), 1), other(soon(local_url(server.port())), 2);
    auto const limits = ten_thousand();
    node.ready();
    other.ready().subscribe("order");
    node.publish_and_wait("order", "m1", &limits);
    server.ask({"SCRIPT", "FLUSH"});
    for (std::uint64_t const serial : node.publish_together("order", numbered("m", 2, 20), &limits))
        CHECK(node.answer(serial).outcome == BackplaneOutcome::unknown);
    node.ready(2);
    for (std::uint64_t serial = 2; serial <= 20; ++serial)
        CHECK(node.publish_and_wait("order", "m" + std::to_string(serial), &limits, {}, serial).outcome ==
              BackplaneOutcome::done);
    CHECK(other.bodies("order", 20) == numbered("m", 1, 20));
}

TEST_CASE("RedisBackplane takes replies in any pieces", "[tcp]") {
    if (!has_redis()) return;
    RedisServer const server;
    ByteProxy proxy(server.port());
    proxy.split(true);
    works(soon(local_url(proxy.port())));
}

TEST_CASE("RedisBackplane waits for a server that is loading", "[tcp]") {
    if (!has_redis()) return;
    RedisServer server;
    for (int i = 0; i < 100; ++i)
        server.ask({"SET", "key" + std::to_string(i), std::string(1000, static_cast<char>('a' + i % 26))});
    server.ask({"CONFIG", "SET", "rdbcompression", "no"});
    server.ask({"SAVE"});
    server.end();
    server.launch({"--key-load-delay", "20000", "--loading-process-events-interval-bytes", "1024"});
    Node node(soon(local_url(server.port())), 1);
    node.ready();
    CHECK(node.events().find("LOADING") != std::string::npos);
}

TEST_CASE("RedisBackplane notices a replication id that has changed, and entries that were lost", "[tcp]") {
    if (!has_redis()) return;
    RedisServer const server;
    Node node(soon(local_url(server.port())), 1);
    auto const limits = ten_thousand();
    node.ready();
    Position const before = node.publish_and_wait("kept", "a", &limits).position;
    SECTION("the id") {
        RedisServer const replica({"--replicaof", "127.0.0.1 " + server.port_text()});  // the first: the id changes
        node.ready(2);
        CHECK(node.events().find("another replication id") != std::string::npos);
        CHECK(node.read("kept", limits, before).begins.epoch != before.epoch);
    }
    SECTION("the stream") {
        server.ask({"DEL", "hubbub:{t:kept}:s"});
        CHECK(node.read("kept", limits, before).begins.epoch != before.epoch);
    }
    SECTION("an entry") {
        server.ask({"XDEL", "hubbub:{t:kept}:s", "1-0"});
        auto const answer = node.publish_and_wait("kept", "b", &limits);
        CHECK(answer.position.epoch != before.epoch);
        CHECK(answer.position.offset == 1);
    }
}

TEST_CASE("RedisBackplane goes on where everything was forgotten between two publications", "[tcp]") {
    if (!has_redis()) return;
    RedisServer const server;
    std::string const publish = hubbub::detail::RedisScripts::publish_text(), read = hubbub::detail::RedisScripts::read_text();
    auto const say = [&](std::string_view epoch, std::string_view serial, std::string_view before) {
        return server.ask({"EVAL", publish, "6",     "{x}:m", "{x}:s",   "{x}:k", "{x}:i",   "{x}:j", "{x}:n",
                           "run",  epoch,   "60000", "100",   "10000",   "60000", serial,    before,  "node",
                           "0",    "60000", "100",   "0",     "PUBLISH", "{x}",   "the body"});
    };
    auto const all = [&] {
        return server.ask({"EVAL", read, "6", "{x}:m", "{x}:s", "{x}:k", "{x}:i", "{x}:j", "{x}:n", "run", "9", "60000", "100",
                           "10000", "60000", "0", "0", "65536"});
    };
    CHECK(say("7", "1", "0").starts_with("7\n1\n"));
    server.ask({"FLUSHALL"});
    CHECK(say("8", "2", "1").find("OVERTAKES") != std::string::npos);  // the one before it is not there any more
    CHECK(server.ask({"PTTL", "{x}:m"}) != "-1");
    CHECK(all().starts_with("8\n0\n"));
    CHECK(say("9", "3", "2").find("OVERTAKES") != std::string::npos);
    CHECK(say("9", "2", "0").starts_with("8\n1\n"));
    CHECK(say("9", "3", "2").starts_with("8\n2\n"));
}

TEST_CASE("RedisBackplane is refused what the server does not take", "[tcp]") {
    if (!has_redis()) return;
    RedisServer const server;
    Node node(soon(local_url(server.port())), 1);
    auto const limits = ten_thousand();
    node.ready();
    server.ask({"CONFIG", "SET", "maxmemory", "1"});
    CHECK(node.publish_and_wait("full", "x", &limits).outcome == BackplaneOutcome::refused);
    server.ask({"CONFIG", "SET", "maxmemory", "0"});
    CHECK(node.publish_and_wait("full", "x", &limits).outcome == BackplaneOutcome::done);
    CHECK(node.readies() == 1);
    // What may be taken later is not refused.
    server.ask({"CONFIG", "SET", "min-replicas-to-write", "1"});
    CHECK(node.publish_and_wait("full", "y", &limits).outcome == BackplaneOutcome::unknown);
    server.ask({"CONFIG", "SET", "min-replicas-to-write", "0"});
    CHECK(eventually([&] { return node.publish_and_wait("full", "z", &limits).outcome == BackplaneOutcome::done; }));
}

TEST_CASE("RedisBackplane leaves little behind", "[tcp]") {
    if (!has_redis()) return;
    RedisServer const server;
    Node node(soon(local_url(server.port())), 1);
    auto limits = ten_thousand();
    limits.messages = 3;
    limits.newest_per_key = true;
    limits.ids = 4;
    node.ready();
    for (std::uint64_t i = 1; i <= 30; ++i) node.publish_and_wait("few", "x", &limits, {.key = i, .id = i});
    CHECK(server.ask({"XLEN", "hubbub:{t:few}:s"}) == "3");
    CHECK(server.ask({"HLEN", "hubbub:{t:few}:k"}) == "3");
    CHECK(server.ask({"ZCARD", "hubbub:{t:few}:i"}) == "4");
    CHECK(server.ask({"HLEN", "hubbub:{t:few}:j"}) == "4");
    for (std::string const key : {"m", "s", "k", "i", "j", "n"}) {
        long long const left = std::stoll(server.ask({"PTTL", "hubbub:{t:few}:" + key}));
        CHECK(left > 3'600'000);
        CHECK(left <= 4'200'000);
    }
}
