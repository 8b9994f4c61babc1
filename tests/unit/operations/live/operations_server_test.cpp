#include <hubbub/operations/live/operations_server.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <utility>

#include <hubbub/testing/socket_client.hpp>

#include "tests/support/catch.hpp"
#include "tests/support/tcp_hub.hpp"

namespace operations_server {

using namespace hubbub;
using hubbub::testing::SocketClient;
using Json = nlohmann::json;

struct Room : NoopHandler {
    void on_open(auto& session) { session.subscribe("room"); }
    void on_message(auto& session, MessageView message) { session.publish("room", message); }
};

/// A server with two loops, and one for its operators.
struct Bed {
    explicit Bed(OperationsOptions options = {}) : Bed(std::move(options), 0) {}
    ~Bed() {
        operations->stop();
        of_operations.join();
        operations.reset();
        server.stop();
        of_server.join();
    }
    std::string get(std::string const& path) { return SocketClient::get(operations->port(), path); }
    Json json(std::string const& path) {
        std::string const answer = get(path);
        return Json::parse(answer.substr(answer.find("\r\n\r\n") + 4));
    }

    Server<> server{Room{}, {.port = 0, .threads = 2}};
    std::optional<OperationsServer<Server<>::HubType>> operations;
    std::thread of_server, of_operations;

   private:
    Bed(OperationsOptions options, std::uint16_t port) {
        options.port = port;
        operations.emplace(server.hub(), std::move(options));
        of_server = std::thread([this] { server.run(); });
        of_operations = std::thread([this] { operations->run(); });
    }
};

Json next(SocketClient& client) { return Json::parse(client.receive()); }
/// The next message of that type.
Json next(SocketClient& client, std::string const& type) {
    for (;;)
        if (Json message = next(client); message["type"] == type) return message;
}

}  // namespace operations_server

using namespace operations_server;

TEST_CASE("A watcher of the live page hears a report each second, with what clients do", "[tcp]") {
    Bed bed;
    SocketClient alice(bed.server.port()), bob(bed.server.port());
    bob.send("here");  // who hears himself is subscribed
    CHECK(bob.receive() == "here");
    for (int i = 1; i < 10; ++i) {
        alice.send("hello");
        CHECK(bob.receive() == "hello");
    }
    SocketClient watcher(bed.operations->port());
    CHECK(next(watcher) == Json{{"type", "hello"}, {"acts", false}});
    CHECK(next(watcher)["type"] == "history");
    Json report = next(watcher, "report");
    while (report["totals"]["sessions"] != 2) report = next(watcher, "report");
    CHECK(report["totals"]["subscriptions"] == 2);
    CHECK(report["shards"].size() == 2);
    CHECK(report["topics"][0]["name"] == "room");
    CHECK(report["topics"][0]["members"] == 2);
    CHECK(report["topics"][0]["published"] == 10);
    CHECK(report["sessions"].size() == 2);
    CHECK(report["sessions"][0]["address"] == "127.0.0.1");
    CHECK(report["memory"]["limit"] == MemoryBudget::usual);
    CHECK(report["backplane"]["continuous"] == true);
    CHECK(report["point"].contains("written"));
    CHECK(bed.json("/debug/hub")["points"].size() >= 1);
    CHECK(bed.json("/debug/why").is_array());
}

TEST_CASE("The live page runs its own scripts and speaks to its own server, and nothing else", "[tcp]") {
    Bed bed;
    for (auto const& [path, type, begins] : {std::tuple{"/", "text/html", "<!doctype html>"},
                                             {"/live.css", "text/css", "/*"},
                                             {"/live.js", "text/javascript", "//"},
                                             {"/live_view.js", "text/javascript", "//"}}) {
        CAPTURE(path);
        std::string const page = bed.get(path);
        CHECK(page.substr(9, 3) == "200");
        CHECK(page.find("Content-Type: " + std::string(type) + "; charset=utf-8\r\n") != std::string::npos);
        CHECK(page.find("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'") != std::string::npos);
        CHECK(page.find("frame-ancestors 'none'") != std::string::npos);
        CHECK(page.find("Cache-Control: no-store\r\n") != std::string::npos);
        CHECK(page.substr(page.find("\r\n\r\n") + 4).starts_with(begins));
    }
}

TEST_CASE("Who may only look can neither close a session nor drain", "[tcp]") {
    Bed bed;
    SocketClient client(bed.server.port()), watcher(bed.operations->port());
    for (std::string const what : {R"({"type":"close","session":"0-0-1"})", R"({"type":"drain"})"}) {
        watcher.send(what);
        CHECK(next(watcher, "error")["why"] == "you may only look");
    }
    client.send("still here");
    CHECK(client.receive() == "still here");
}

TEST_CASE("Who may act closes the session that he has seen", "[tcp]") {
    Bed bed({.act = http::OperatorsOnly()});
    SocketClient client(bed.server.port()), watcher(bed.operations->port());
    CHECK(next(watcher, "hello")["acts"] == true);
    watcher.send(R"({"type":"filter","address":"127.0.0.1"})");
    Json const sessions = next(watcher, "sessions")["sessions"];
    REQUIRE(sessions.size() == 1);
    watcher.send(Json{{"type", "close"}, {"session", sessions[0]["id"]}}.dump());
    CHECK(next(watcher, "done")["what"].get<std::string>().starts_with("session "));
    CHECK(client.receive_close() == CloseCode::policy_violation);
}

TEST_CASE("Who may act drains the hub", "[tcp]") {
    Bed bed({.act = http::OperatorsOnly()});
    SocketClient client(bed.server.port()), watcher(bed.operations->port());
    watcher.send(R"({"type":"drain"})");
    CHECK(next(watcher, "done")["what"] == "the hub drains");
    CHECK(client.receive_close() == CloseCode::service_restart);
    CHECK(bed.get("/readyz").find("accepting: no, the hub drains") != std::string::npos);
}

TEST_CASE("A filter lists only the sessions that it lets through", "[tcp]") {
    Bed bed;
    SocketClient client(bed.server.port()), watcher(bed.operations->port());
    for (std::string const filter : {R"({"type":"filter","user":"nobody"})", R"({"type":"filter","address":"127.0.0.2"})",
                                     R"({"type":"filter","label":"x"})"}) {
        watcher.send(filter);
        CHECK(next(watcher, "sessions")["sessions"].empty());
    }
}

TEST_CASE("What is no message of the live page is answered with what is wrong", "[tcp]") {
    Bed bed({.act = http::OperatorsOnly()});
    SocketClient watcher(bed.operations->port());
    for (auto const& [said, why] : {std::pair{"x", "a message is one JSON object"},
                                    {"[1]", "a message is one JSON object"},
                                    {R"({"type":7})", "there is no such type"},
                                    {R"({"type":"open"})", "there is no such type"},
                                    {R"({"type":"close","session":"1-2"})", "that is no session"},
                                    {R"({"type":"close","session":"1-2-0"})", "that is no session"},
                                    {R"({"type":"close","session":"1-2-3x"})", "that is no session"},
                                    {R"({"type":"close","session":"70000-2-3"})", "that is no session"}}) {
        CAPTURE(said);
        watcher.send(said);
        CHECK(next(watcher, "error")["why"] == why);
    }
}

TEST_CASE("Nobody else sees anything of an operations server", "[tcp]") {
    Bed bed({.allow = http::OperatorsOnly(
                 [](http::Request const& request, PeerAddress const&) { return request.query() == "key"; })});
    for (std::string const path : {"/", "/live.js", "/debug/hub", "/debug/why"}) {
        CHECK(bed.get(path).substr(9, 3) == "403");
        CHECK(bed.get(path + "?key").substr(9, 3) == "200");
    }
    CHECK_THROWS_WITH(SocketClient(bed.operations->port()), "the server refused with 403");
    SocketClient watcher(bed.operations->port(), "/?key");
    CHECK(next(watcher)["type"] == "hello");
}

TEST_CASE("Users and addresses can be hidden") {
    HubSnapshot hub;
    hub.shards.resize(1);
    PeerAddress four{.family = PeerAddress::Family::ipv4}, six{.family = PeerAddress::Family::ipv6};
    four.bytes = {192, 0, 2, 7};
    six.bytes = {0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 9};
    hub.shards[0].worst = {{.id = {1, 1, {0}}, .user = "bob", .labels = {"vip"}, .peer = four},
                           {.id = {2, 1, {0}}, .peer = six}};
    OperationsOptions options{.hide_addresses = true, .hide_users = true};
    auto const shown = HubReport(hub, hub, options).sessions(hub.worst());
    CHECK(shown[0]["user"] == "(hidden)");
    CHECK(shown[0]["labels"].empty());
    CHECK(shown[0]["address"] == "192.0.2.x");
    CHECK(shown[1]["address"] == "2001:db8:1:2:0:0:0:0/64");
    CHECK(shown[1]["user"] == "");
}

TEST_CASE("A user who is hidden is named by no cause either") {
    HubSnapshot before, now;
    before.shards.resize(1);
    now.shards.resize(1);
    now.at = before.at + std::chrono::seconds(1);
    now.shards[0].delivery.dropped[static_cast<std::size_t>(DropReason::slow_consumer)] = 1;
    now.shards[0].worst = {{.id = {1, 1, {0}}, .user = "bob", .queued_bytes = 1000}};
    for (bool const hides : {false, true}) {
        OperationsOptions const options{.hide_users = hides};
        LiveFeed feed(options, {});
        feed.take(before);
        feed.take(now);
        REQUIRE(feed.causes().size() == 1);
        CHECK((feed.causes().front().evidence.find("of bob with 1000 bytes") == std::string::npos) == hides);
        CHECK((feed.report().find("bob") == std::string::npos) == hides);
    }
}
