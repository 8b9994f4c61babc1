// Permissions that are answered later: order, bound, memory.
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include <hubbub/hub/hub.hpp>

#include "tests/unit/hub/memory_world.hpp"

using namespace memory_world;
using namespace std::chrono_literals;

namespace {

/// Keeps the questions for the test to answer; topics that begin with "now" are allowed at once, with "no" refused at once.
struct KeptQuestions {
    static inline std::vector<std::pair<std::string, Verdict<Permission>>> open;
    static inline std::vector<std::string> log;
    void authorize(AuthorizationRequest const& request, Verdict<Permission> verdict) {
        std::string const what = (request.action == AuthorizationRequest::Action::publish ? "publish " : "subscribe ");
        log.push_back(what + std::string(request.topic));
        if (request.topic.starts_with("no")) return verdict.answer({request.topic.starts_with("now")});
        open.emplace_back(what + std::string(request.topic), std::move(verdict));
    }
    static void answer(std::string const& what, bool allowed) {
        for (auto& [question, verdict] : open)
            if (question == what) {
                verdict.answer({allowed});
                question.clear();
                return;
            }
        FAIL("nobody asked: " << what);
    }
};
struct QuestionPolicy : DefaultPolicy {
    using Access = KeptQuestions;
};
using QuestionHandler = Told<QuestionPolicy>;
using QuestionWorld = World<QuestionHandler, QuestionPolicy>;

struct FreshQuestions {
    FreshQuestions() {
        KeptQuestions::open.clear();
        KeptQuestions::log.clear();
    }
    ~FreshQuestions() { KeptQuestions::open.clear(); }
};

/// "+topic" subscribes, "-topic" unsubscribes, "topic:text" publishes; anything else is heard.
struct QuestionCommands {
    std::vector<std::string> heard;
    std::vector<SubscribeResult> subscribed;
    bool unsubscribed = false;
    void obey(auto& session, MessageView message) {
        std::string const text(message.view());
        heard.push_back(text);
        if (text.starts_with('+')) subscribed.push_back(session.subscribe(text.substr(1)));
        if (text.starts_with('-')) unsubscribed = session.unsubscribe(text.substr(1));
        if (auto const colon = text.find(':'); colon != std::string::npos)
            session.publish(text.substr(0, colon), text.substr(colon + 1));
        if (text == "forget") session.forget_permissions();
        if (text == "refresh") session.refresh(Identity{});
    }
};

}  // namespace

TEST_CASE("Subscriptions begin in the order in which they were asked for, whatever the order of the answers") {
    FreshQuestions const fresh;
    QuestionHandler handler;
    QuestionCommands commands;
    handler.hooks->message = [&](auto& session, MessageView message) { commands.obey(session, message); };
    QuestionWorld world(handler);
    auto wire = world.connect();
    for (auto const* each : {"+a", "+b", "+now", "+c", "+no"}) world.say(*wire, each);
    CHECK(handler.hooks->log.empty());
    KeptQuestions::answer("subscribe c", true);
    KeptQuestions::answer("subscribe b", false);
    world.run();
    CHECK(handler.hooks->log.empty());
    KeptQuestions::answer("subscribe a", true);
    world.run();
    CHECK(handler.hooks->log == Messages{"in a 0", "not in b 0", "in now 0", "in c 0", "not in no 0"});
}

TEST_CASE("A subscription that waits keeps nothing else of its session") {
    FreshQuestions const fresh;
    QuestionHandler handler;
    QuestionCommands commands;
    handler.hooks->message = [&](auto& session, MessageView message) { commands.obey(session, message); };
    QuestionWorld world(handler);
    auto wire = world.connect();
    auto other = world.connect();
    world.say(*other, "+now");
    world.say(*wire, "+slow");
    for (auto const* each : {"hello", "now:text", "hello again"}) world.say(*wire, each);
    CHECK(commands.heard == Messages{"+now", "+slow", "hello", "now:text", "hello again"});
    CHECK(messages(*other) == Messages{"text"});
}

TEST_CASE("When too many subscriptions wait the session is not read, until there are fewer") {
    FreshQuestions const fresh;
    QuestionHandler handler;
    QuestionCommands commands;
    handler.hooks->message = [&](auto& session, MessageView message) { commands.obey(session, message); };
    HubOptions<QuestionPolicy> options;
    options.questions = 3;
    QuestionWorld world(handler, 1, options);
    auto wire = world.connect();
    for (auto const* each : {"+a", "+b", "hello", "+c", "not yet", "+d"}) world.say(*wire, each);
    CHECK(commands.heard == Messages{"+a", "+b", "hello", "+c"});
    CHECK(KeptQuestions::open.size() == 3);
    KeptQuestions::answer("subscribe b", true);  // it waits for a, so that there are not fewer
    world.run();
    world.pass(1s);
    CHECK(commands.heard.size() == 4);
    KeptQuestions::answer("subscribe a", false);
    world.run();
    world.pass(1s);
    CHECK(commands.heard == Messages{"+a", "+b", "hello", "+c", "not yet", "+d"});
    // The pause is no silence of the client.
    CHECK(handler.hooks->log == Messages{"not in a 0", "in b 0"});
}

TEST_CASE("A verdict that nobody waits for any more is never taken for that of another question") {
    FreshQuestions const fresh;
    QuestionHandler handler;
    QuestionCommands commands;
    handler.hooks->message = [&](auto& session, MessageView message) { commands.obey(session, message); };
    QuestionWorld world(handler);
    auto wire = world.connect();
    world.say(*wire, "+public");
    world.say(*wire, "-public");
    // All that the session remembered is gone by now, if that can be: it has said who it is to nobody, and waits for nothing.
    wire->to_server += ws::encode_frame(ws::ClientFrame::make(ws::Opcode::ping, {}));
    world.run();
    world.say(*wire, "+secret");
    KeptQuestions::answer("subscribe public", true);
    world.run();
    CHECK(handler.hooks->log.empty());
    KeptQuestions::answer("subscribe secret", false);
    world.run();
    CHECK(handler.hooks->log == Messages{"not in secret 0"});
}

TEST_CASE("What is asked for twice is asked once, counts among the topics, and can be taken back") {
    FreshQuestions const fresh;
    QuestionHandler handler;
    QuestionCommands commands;
    handler.hooks->message = [&](auto& session, MessageView message) { commands.obey(session, message); };
    HubOptions<QuestionPolicy> options;
    options.subscriptions = 3;
    QuestionWorld world(handler, 1, options);
    auto wire = world.connect();
    for (auto const* each : {"+a", "+a", "+b", "+now", "+d"}) world.say(*wire, each);
    using Result = SubscribeResult;
    CHECK(commands.subscribed ==
          std::vector{Result::started, Result::already, Result::started, Result::started, Result::too_many});
    CHECK(KeptQuestions::open.size() == 2);
    world.say(*wire, "-a");
    CHECK(commands.unsubscribed);
    KeptQuestions::answer("subscribe b", true);
    KeptQuestions::answer("subscribe a", true);  // nobody waits for it any more
    world.run();
    CHECK(handler.hooks->log == Messages{"in b 0", "in now 0"});
    world.hub.publish("a", Frame::text("to a"));
    world.hub.publish("b", Frame::text("to b"));
    world.run();
    CHECK(messages(*wire) == Messages{"to b"});
    world.say(*wire, "-b");
    CHECK(commands.unsubscribed);
    world.say(*wire, "-b");
    CHECK_FALSE(commands.unsubscribed);
}

TEST_CASE("A session that ends while it waits hears nothing of the answers") {
    FreshQuestions const fresh;
    QuestionHandler handler;
    QuestionCommands commands;
    handler.hooks->message = [&](auto& session, MessageView message) {
        commands.obey(session, message);
        if (message.view() == "bye") session.close();
    };
    QuestionWorld world(handler);
    auto closing = world.connect(), gone = world.connect();
    for (auto const& wire : {closing, gone}) {
        world.say(*wire, "+a");
        world.say(*wire, "+b");
    }
    world.say(*closing, "bye");
    gone->client_ended = true;
    world.run();
    for (int i = 0; i < 2; ++i) {
        KeptQuestions::answer("subscribe a", true);
        KeptQuestions::answer("subscribe b", false);
    }
    world.run();
    CHECK(handler.hooks->log == Messages{"closed 1006"});
}

TEST_CASE("Verdicts are remembered for each session and action, until there are too many, or the identity is another") {
    FreshQuestions const fresh;
    QuestionHandler handler;
    QuestionCommands commands;
    handler.hooks->message = [&](auto& session, MessageView message) { commands.obey(session, message); };
    HubOptions<QuestionPolicy> options;
    options.permissions = 2;
    QuestionWorld world(handler, 1, options);
    auto wire = world.connect(), other = world.connect();
    auto const asked_by = [&](MemoryWire& whose, std::string_view text) {
        std::size_t const before = KeptQuestions::log.size();
        world.say(whose, text);
        return KeptQuestions::log.size() - before;
    };
    CHECK(asked_by(*wire, "now:1") == 1);
    CHECK(asked_by(*wire, "now:2") == 0);
    CHECK(asked_by(*other, "now:3") == 1);
    CHECK(asked_by(*wire, "+now") == 1);
    CHECK(asked_by(*wire, "-now") == 0);
    CHECK(asked_by(*wire, "+now") == 0);
    CHECK(asked_by(*wire, "no:1") == 1);
    CHECK(asked_by(*wire, "no:2") == 0);   // a refusal is remembered too
    CHECK(asked_by(*wire, "now:4") == 1);  // the oldest has gone
    CHECK(asked_by(*wire, "forget") == 0);
    CHECK(asked_by(*wire, "now:5") == 1);
    CHECK(asked_by(*wire, "now:6") == 0);
    CHECK(asked_by(*wire, "refresh") == 0);
    CHECK(asked_by(*wire, "now:7") == 1);
    CHECK(messages(*wire) == Messages{"4", "5", "6", "7"});
}

TEST_CASE("A verdict that comes later is remembered, unless the identity has changed meanwhile") {
    FreshQuestions const fresh;
    QuestionHandler handler;
    QuestionCommands commands;
    handler.hooks->message = [&](auto& session, MessageView message) { commands.obey(session, message); };
    HubOptions<QuestionPolicy> options;
    options.permissions = 10;
    QuestionWorld world(handler, 1, options);
    auto wire = world.connect();
    world.say(*wire, "+a");
    KeptQuestions::answer("subscribe a", true);
    world.run();
    world.say(*wire, "-a");
    world.say(*wire, "+a");
    CHECK(KeptQuestions::log == Messages{"subscribe a"});
    world.say(*wire, "+b");
    world.say(*wire, "refresh");
    KeptQuestions::answer("subscribe b", true);
    world.run();
    world.say(*wire, "-b");
    world.say(*wire, "+b");
    CHECK(KeptQuestions::log == Messages{"subscribe a", "subscribe b", "subscribe b"});
}

TEST_CASE("Without the option nothing is remembered") {
    FreshQuestions const fresh;
    QuestionHandler handler;
    QuestionCommands commands;
    handler.hooks->message = [&](auto& session, MessageView message) { commands.obey(session, message); };
    QuestionWorld world(handler);
    auto wire = world.connect();
    world.say(*wire, "now:1");
    world.say(*wire, "now:2");
    CHECK(KeptQuestions::log.size() == 2);
}
