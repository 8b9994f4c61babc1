// How an identity ends: expiry, refresh, revocation.
#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <hubbub/hub/hub.hpp>

#include "tests/unit/hub/memory_world.hpp"

using namespace memory_world;
using namespace std::chrono_literals;

namespace {

/// The target says who it is and for how many seconds: "/ada?60". "/later" is answered by the test.
struct ByTarget {
    static inline std::optional<Verdict<Authenticated>> later;
    void authenticate(http::Request const& request, PeerAddress const&, Verdict<Authenticated> verdict) {
        if (request.path() == "/later") return void(later.emplace(std::move(verdict)));
        Authenticated who = Authenticated::as({.user = std::string(request.path().substr(1)), .labels = {"staff", "staff"}});
        if (!request.query().empty()) who.expires_in = std::chrono::seconds(std::stoi(std::string(request.query())));
        verdict.answer(std::move(who));
    }
};
struct IdentityPolicy : DefaultPolicy {
    using Auth = ByTarget;
};
using IdentityHandler = Told<IdentityPolicy>;
using IdentityWorld = World<IdentityHandler, IdentityPolicy>;

std::string asking_for(std::string const& target) {
    std::string text(request);
    return text.replace(text.find("/chat"), 5, target);
}
/// Clients that need not answer pings.
HubOptions<IdentityPolicy> patient() {
    HubOptions<IdentityPolicy> options;
    options.heartbeat = {std::chrono::hours(1), std::chrono::hours(2)};
    return options;
}
Messages sorted(Messages all) {
    std::sort(all.begin(), all.end());
    return all;
}
Authenticated lasting(std::string user, std::chrono::seconds time, std::vector<std::string> labels = {}) {
    Authenticated who = Authenticated::as({.user = std::move(user), .labels = std::move(labels)});
    who.expires_in = time;
    return who;
}

}  // namespace

TEST_CASE("Before an identity expires the handler is warned, once, and the session ends after the grace") {
    IdentityHandler handler;
    IdentityWorld world(handler, 1, patient());
    auto wire = world.connect(asking_for("/ada?60"));
    world.pass(29s);
    CHECK(handler.hooks->log.empty());
    world.pass(2s);
    CHECK(handler.hooks->log == Messages{"expiring"});
    world.pass(33s);
    CHECK(messages(*wire).empty());
    world.pass(2s);
    CHECK(messages(*wire) == Messages{"close 4401"});
    CHECK(handler.hooks->log == Messages{"expiring"});
}

TEST_CASE("An identity that lives shorter than twice the warning's time is warned of in the middle of its life") {
    IdentityHandler handler;
    IdentityWorld world(handler, 1, patient());
    auto wire = world.connect(asking_for("/ada?10"));
    world.pass(4500ms);
    CHECK(handler.hooks->log.empty());
    world.pass(750ms);
    CHECK(handler.hooks->log == Messages{"expiring"});
    world.pass(11s);
    CHECK(messages(*wire) == Messages{"close 4401"});
}

TEST_CASE("Who refreshes with short lives inside on_expiring is asked again later and not at once") {
    IdentityHandler handler;
    auto life = 10s;
    handler.hooks->expiring = [&](auto& session) { session.refresh(lasting("ada", life)); };
    IdentityWorld world(handler, 1, patient());
    auto wire = world.connect(asking_for("/ada?10"));
    world.pass(61s);
    CHECK(handler.hooks->log.size() > 9);
    CHECK(handler.hooks->log.size() < 14);
    CHECK(messages(*wire).empty());
    life = -1s;  // over already, but in the grace: once a tick
    world.pass(10s);
    CHECK(handler.hooks->log.size() < 14 + 101);
    CHECK(messages(*wire).empty());
}

TEST_CASE("Without a warning and without a grace it ends when it expires") {
    IdentityHandler handler;
    auto options = patient();
    options.expiry_warning = 0s;
    options.expiry_grace = 0s;
    IdentityWorld world(handler, 1, options);
    auto wire = world.connect(asking_for("/ada?10"));
    world.pass(9500ms);
    CHECK(messages(*wire).empty());
    world.pass(750ms);
    CHECK(messages(*wire) == Messages{"close 4401"});
    CHECK(handler.hooks->log.empty());
}

TEST_CASE("An identity that holds for a century does not expire, and one that was over at the start ends at once") {
    IdentityHandler handler;
    IdentityWorld world(handler, 1, patient());
    auto wire = world.connect(asking_for("/ada?2147483647"));
    world.pass(31s);
    CHECK(handler.hooks->log.empty());
    auto over = world.connect(asking_for("/ada?-6"));
    world.pass(1s);
    CHECK(messages(*over) == Messages{"close 4401"});
}

TEST_CASE("A message with a new token refreshes the identity, and the next warning comes in its time") {
    IdentityHandler handler;
    std::vector<RefreshResult> results;
    handler.hooks->message = [&](auto& session, MessageView message) {
        results.push_back(session.refresh(lasting("ada", std::chrono::seconds(std::stoi(std::string(message.view()))))));
    };
    IdentityWorld world(handler, 1, patient());
    auto wire = world.connect(asking_for("/ada?60"));
    world.pass(40s);
    CHECK(handler.hooks->log == Messages{"expiring"});
    world.say(*wire, "60");
    CHECK(results == std::vector{RefreshResult::refreshed});
    world.pass(29s);
    CHECK(handler.hooks->log == Messages{"expiring"});
    world.pass(2s);
    CHECK(handler.hooks->log == Messages{"expiring", "expiring"});
    // In the grace it is in time too.
    world.pass(32s);
    world.say(*wire, "1000");
    world.pass(60s);
    CHECK(wire->received.find("\x88") == std::string::npos);
    CHECK(handler.hooks->log.size() == 2);
}

TEST_CASE("A refresh inside on_expiring counts") {
    IdentityHandler handler;
    handler.hooks->expiring = [](auto& session) { session.refresh(lasting("ada", 1000s)); };
    IdentityWorld world(handler, 1, patient());
    auto wire = world.connect(asking_for("/ada?10"));
    world.pass(60s);
    CHECK(handler.hooks->log == Messages{"expiring"});
    CHECK(messages(*wire).empty());
}

TEST_CASE("A refresh that is somebody else's, or refused, changes nothing") {
    IdentityHandler handler;
    std::vector<RefreshResult> results;
    handler.hooks->open = [&](auto& session) {
        results.push_back(session.refresh(lasting("eve", 1000s)));
        results.push_back(session.refresh(Identity{}));
        results.push_back(session.refresh(Authenticated::refused(http::Status::unauthorized, "the token is not accepted")));
        CHECK(session.identity().user == "ada");
        CHECK(session.identity().labels == Messages{"staff"});
        session.close();
        results.push_back(session.refresh(lasting("ada", 1000s)));
    };
    IdentityWorld world(handler, 1, patient());
    world.connect(asking_for("/ada?10"));
    CHECK(results ==
          std::vector{RefreshResult::another_user, RefreshResult::another_user, RefreshResult::refused, RefreshResult::closed});
}

TEST_CASE("A refresh exchanges the labels of the identity, and leaves those that the program has added") {
    IdentityHandler handler;
    handler.hooks->open = [](auto& session) { session.add_label("phones"); };
    handler.hooks->message = [](auto& session, MessageView) {
        CHECK(session.refresh(lasting("ada", 1000s, {"admins", "admins"})) == RefreshResult::refreshed);
        CHECK(session.identity().labels == Messages{"admins", "phones"});
        CHECK_FALSE(session.add_label("admins"));
    };
    for (std::size_t shards = 1; shards <= 3; ++shards) {
        IdentityWorld world(handler, shards);
        auto wire = world.connect(asking_for("/ada"));
        auto const publish = [&] {
            for (auto const* label : {"staff", "phones", "admins"}) world.hub.publish(Target::label(label), Frame::text(label));
            world.run();
        };
        publish();
        CHECK(sorted(messages(*wire)) == Messages{"phones", "staff"});  // once each, although the token said staff twice
        world.say(*wire, "");
        publish();
        CHECK(sorted(messages(*wire)) == Messages{"admins", "phones", "phones", "staff"});
        world.say(*wire, "again");
        publish();
        CHECK(sorted(messages(*wire)) == Messages{"admins", "admins", "phones", "phones", "phones", "staff"});
    }
}

TEST_CASE("A session of nobody becomes somebody's by its first message, and is counted as his") {
    IdentityHandler handler;
    std::vector<RefreshResult> results;
    handler.hooks->message = [&](auto& session, MessageView message) {
        results.push_back(session.refresh(lasting(std::string(message.view()), 1000s)));
    };
    HubOptions<IdentityPolicy> options;
    options.limits.per_user = 2;
    IdentityWorld world(handler, 1, options);
    std::vector<std::shared_ptr<MemoryWire>> wires;
    for (int i = 0; i < 3; ++i) wires.push_back(world.connect(asking_for("/")));
    for (auto const& wire : wires) world.say(*wire, "ada");
    CHECK(results == std::vector{RefreshResult::refreshed, RefreshResult::refreshed, RefreshResult::too_many});
    world.say(*wires[0], "bob");
    CHECK(results.back() == RefreshResult::another_user);
    world.hub.publish(Target::user("ada"), Frame::text("to ada"));
    world.run();
    CHECK(messages(*wires[1]) == Messages{"to ada"});
    CHECK(messages(*wires[2]).empty());
    wires[0]->client_ended = true;
    world.run();
    world.say(*wires[2], "ada");
    CHECK(results.back() == RefreshResult::refreshed);
}

TEST_CASE("A user, a label or a session is revoked at once, on every shard, and what is queued goes with it") {
    for (std::size_t shards = 1; shards <= 3; ++shards) {
        IdentityHandler handler;
        std::vector<SessionId> ids;
        handler.hooks->open = [&](auto& session) {
            ids.push_back(session.id());
            session.subscribe("room");
        };
        IdentityWorld world(handler, shards);
        auto ada = world.connect(asking_for("/ada")), ada2 = world.connect(asking_for("/ada")),
             bob = world.connect(asking_for("/bob")), eve = world.connect(asking_for("/eve"));
        ada->room = 0;
        world.hub.publish("room", Frame::text("before"));
        world.run();
        world.hub.revoke(Target::user("ada"), "signed out everywhere");
        world.hub.publish("room", Frame::text("after"));
        ada->room = MemoryWire::unlimited;
        world.run();
        CHECK(messages(*ada).back() == "close 4403");
        CHECK(messages(*ada2) == Messages{"before", "close 4403"});
        CHECK(messages(*bob) == Messages{"before", "after"});
        world.hub.revoke(ids[2]);
        world.hub.revoke(SessionId{1, 1, {60}});
        world.run();
        CHECK(messages(*bob).back() == "close 4403");
        CHECK(messages(*eve).size() == 2);
        world.hub.revoke(Target::label("staff"));
        world.run();
        CHECK(messages(*eve).back() == "close 4403");
        for (auto const& wire : {ada, ada2, bob, eve}) wire->client_ended = true;
        world.run();
        CHECK(handler.hooks->log.size() >= 4);
        world.sums();
    }
}

TEST_CASE("Who was let in before the revocation and has not opened yet is ended too") {
    for (std::size_t shards = 1; shards <= 3; ++shards)
        for (int rounds = 0; rounds < 3; ++rounds) {
            IdentityWorld world(IdentityHandler{}, shards);
            std::vector<std::shared_ptr<MemoryWire>> wires;
            for (int i = 0; i < rounds; ++i) world.connect(asking_for("/bob"));  // moves on whose turn it is
            auto wire = world.connect(asking_for("/later"));
            ByTarget::later->answer(lasting("ada", 1000s));
            world.hub.revoke(Target::user("ada"));
            world.run();
            CHECK(messages(*wire) == Messages{"close 4403"});
            ByTarget::later.reset();
        }
}

TEST_CASE("A revocation that is called inside a hook of the session itself ends it") {
    IdentityHandler handler;
    IdentityWorld* world = nullptr;
    handler.hooks->message = [&](auto& session, MessageView) {
        world->hub.revoke(session.id());
        session.send("not any more");
    };
    IdentityWorld there(handler);
    world = &there;
    auto wire = there.connect(asking_for("/ada"));
    there.say(*wire, "x");
    CHECK(messages(*wire).back() == "close 4403");
}
