#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "tests/unit/hub/memory_world.hpp"

using namespace memory_world;

namespace {

using SessionType = Session<MemoryConnection, DefaultPolicy>;

/// Two clients, both of whom say something in one turn. The wire of the first is looked at while the second one is heard.
struct Two {
    Told<> told;
    World<Told<>> world{told};
    std::shared_ptr<MemoryWire> first = world.connect(), second = world.connect();
    Messages seen;  ///< what the first had when the second was heard
    int writes = 0;

    void say(std::string_view one, std::string_view two, std::function<void(SessionType&, MessageView)> answer) {
        auto const heard = [this, answer = std::move(answer)](SessionType& session, MessageView message) {
            if (message.view().starts_with("second")) seen = messages(*first);
            answer(session, message);
        };
        told.hooks->message = heard;
        first->to_server.append(ws::encode_frame(ws::ClientFrame::text(one)));
        second->to_server.append(ws::encode_frame(ws::ClientFrame::text(two)));
        auto const before = world.hub.snapshot(0).writes;
        world.loops[0]->run_events([&] {
            for (auto const& wire : {first, second}) world.hub.driver(0).find(*wire)->deliver(1000);
        });
        writes = static_cast<int>(world.hub.snapshot(0).writes - before);
    }
};

}  // namespace

TEST_CASE("An answer leaves before the next session is heard") {
    Two two;
    two.say("first", "second", [](SessionType& session, MessageView message) {
        session.send(message);
        session.send("again");
    });
    CHECK(two.seen == Messages{"first", "again"});
    CHECK(messages(*two.second) == Messages{"second", "again"});
    CHECK(two.writes == 2);
}

TEST_CASE("What answers the messages of one read is one write") {
    Two two;
    auto const more = [](std::string_view text) { return ws::encode_frame(ws::ClientFrame::text(text)); };
    two.first->to_server = more("one") + more("two");
    two.say("three", "second", [](SessionType& session, MessageView message) { session.send(message); });
    CHECK(two.seen == Messages{"one", "two", "three"});
    CHECK(two.writes == 2);
}

TEST_CASE("An answer waits for what topics have in this turn, and is one write with it") {
    Two two;
    two.told.hooks->message = [](SessionType& session, MessageView) { session.subscribe("news"); };
    two.world.say(*two.first, "join");
    two.say("first", "second", [](SessionType& session, MessageView message) {
        session.publish("news", message);
        session.send("done");
    });
    CHECK(two.seen.empty());
    CHECK(messages(*two.first) == Messages{"first", "done", "second"});
    CHECK(messages(*two.second) == Messages{"done"});
    CHECK(two.writes == 2);
}

TEST_CASE("Who is sent something by another waits for the end of the turn") {
    Two two;
    SessionId first;
    two.told.hooks->message = [&](SessionType& session, MessageView) { first = session.id(); };
    two.world.say(*two.first, "who");
    two.say("first", "second", [&](SessionType& session, MessageView message) {
        session.send("heard");
        two.world.hub.send(first, Frame(message));
    });
    CHECK(two.seen == Messages{"heard", "first"});
    CHECK(messages(*two.first) == Messages{"heard", "first", "second"});
    CHECK(messages(*two.second) == Messages{"heard"});
    CHECK(two.writes == 3);
}
