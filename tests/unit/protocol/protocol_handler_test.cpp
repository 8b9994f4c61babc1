// What a server answers to each message of the protocol.
#include <algorithm>
#include <string>
#include <thread>

#include "tests/unit/protocol/protocol_world.hpp"

using namespace protocol_world;
using namespace std::chrono_literals;

TEST_CASE("A session is greeted with who it is and what it may, and one of another protocol is closed") {
    Talk talk;
    auto client = talk.connect(asking);
    auto const hello = nlohmann::json::parse(messages(*client).at(0));
    CHECK(hello.at("type") == "connected");
    CHECK(hello.at("version") == 1);
    CHECK(hello.at("user") == "ann");
    CHECK(hello.at("ping") == 25000);
    CHECK(hello.at("limits").at("message") == 65536);
    CHECK(hello.at("limits").at("topic") == 255);
    CHECK(hello.at("features") == nlohmann::json{"presence"});
    CHECK(client->received.find("Sec-WebSocket-Protocol: hubbub.v1.json") != std::string::npos);
    CHECK(talk.seen->log == Messages{"open"});
    auto stranger = talk.connect();
    CHECK(messages(*stranger) == Messages{"close 1008"});
    CHECK(stranger->received.find("this server speaks hubbub.v1.json") != std::string::npos);
    stranger->lost = true;
    talk.run();
    CHECK(talk.seen->log == Messages{"open"});  // the program has never heard of it
    client->lost = true;
    talk.run();
    CHECK(talk.seen->log == Messages{"open", "closed"});
}

TEST_CASE("A subscription, a publication with its acknowledgement, and what subscribers hear") {
    for (std::size_t const shards : {1u, 2u, 3u}) {
        Talk talk(shards);
        auto one = talk.join(), two = talk.join();
        auto const begun = talk.ask(*one, R"({"type":"subscribe","id":1,"topic":"orders"})");
        REQUIRE(begun.size() == 1);
        std::string const epoch = epoch_in(begun[0]);
        CHECK(begun[0] ==
              R"({"type":"subscribed","id":1,"topic":"orders","epoch":")" + epoch + R"(","offset":0,"recovered":false})");
        CHECK(
            talk.ask(*two, R"({"type":"publish","id":7,"topic":"orders","data": {"b":1.50, "a":12345678901234567890123} })") ==
            Messages{R"({"type":"ack","id":7,"epoch":")" + epoch + R"(","offset":1,"repeated":false})"});
        // As it was written, and in its order.
        CHECK(talk.fresh(*one) == Messages{R"({"type":"publication","topic":"orders","epoch":")" + epoch +
                                           R"(","offset":1,"data":{"b":1.50, "a":12345678901234567890123}})"});
        CHECK(talk.ask(*one, R"({"type":"unsubscribe","id":2,"topic":"orders"})") == Messages{R"({"type":"ack","id":2})"});
        talk.say(*two, R"({"type":"publish","topic":"orders","data":2})");
        CHECK(talk.fresh(*one).empty());
        CHECK(talk.fresh(*two).empty());  // without an id nobody is told
        CHECK(
            talk.ask(*one, R"({"type":"subscribe","id":3,"topic":"orders","since":{"epoch":")" + epoch + R"(","offset":1}})") ==
            Messages{R"({"type":"subscribed","id":3,"topic":"orders","epoch":")" + epoch + R"(","offset":1,"recovered":true})",
                     R"({"type":"publication","topic":"orders","epoch":")" + epoch + R"(","offset":2,"data":2})"});
        CHECK(talk.seen->log == Messages{"open", "open", "in orders", "in orders"});
        CHECK(talk.sums().all_dropped() == 0);
    }
}

TEST_CASE("A topic without a history has no positions") {
    for (std::size_t const shards : {1u, 2u}) {
        Talk talk(shards);
        auto client = talk.join();
        CHECK(talk.ask(*client, R"({"type":"subscribe","id":1,"topic":"news","newest":5})") ==
              Messages{R"({"type":"subscribed","id":1,"topic":"news"})"});
        auto const heard = talk.ask(*client, R"({"type":"publish","id":2,"topic":"news","data":"x"})");
        CHECK(heard.size() == 2);
        CHECK(std::count(heard.begin(), heard.end(), R"({"type":"publication","topic":"news","data":"x"})") == 1);
        CHECK(std::count(heard.begin(), heard.end(), R"({"type":"ack","id":2})") == 1);
        talk.hub.publish("news", Frame::text("no JSON \xff\n"));
        talk.hub.publish("news", Frame::text("\xEF\xBB\xBF[1]"));  // what no message may have inside
        talk.hub.publish("news", Frame::binary(std::as_bytes(std::span("\x00\xff\x10", 3))));
        talk.run();
        CHECK(talk.fresh(*client) == Messages{R"({"type":"publication","topic":"news","data":"no JSON )"
                                              "\xEF\xBF\xBD"
                                              R"(\n"})",
                                              "{\"type\":\"publication\",\"topic\":\"news\",\"data\":\"\xEF\xBB\xBF[1]\"}",
                                              R"({"type":"publication","topic":"news","encoding":"base64","data":"AP8Q"})"});
        talk.hub.publish(Target::user("ann"), ProtocolCodec::message("[1]"));
        talk.run();
        CHECK(talk.fresh(*client) == Messages{R"({"type":"message","data":[1]})"});
    }
}

TEST_CASE("What is published again under its name is published once") {
    for (std::size_t const shards : {1u, 2u}) {
        Talk talk(shards);
        auto client = talk.join(), other = talk.join();
        std::string const text = R"({"type":"publish","id":1,"topic":"orders","data":1,"idempotency":"a-name"})";
        auto const first = talk.ask(*client, text), second = talk.ask(*client, text);
        REQUIRE(first.size() == 1);
        REQUIRE(second.size() == 1);
        CHECK(first[0].ends_with(R"("offset":1,"repeated":false})"));
        CHECK(second[0].ends_with(R"("offset":1,"repeated":true})"));
        CHECK(epoch_in(first[0]) == epoch_in(second[0]));
        // From another connection of the same user too.
        CHECK(talk.ask(*other, text).at(0).ends_with(R"("offset":1,"repeated":true})"));
    }
}

TEST_CASE("The program judges what is published, and may write it anew") {
    for (std::size_t const shards : {1u, 2u}) {
        HubOptions<Speaking> options;
        options.topics.names = {{"signed/b", {.history = {.messages = 10}}}};
        Talk talk(shards, options);
        auto one = talk.join(), two = talk.join();
        for (auto const& each : {one, two}) talk.ask(*each, R"({"type":"subscribe","id":1,"topic":"signed/a"})");
        CHECK(talk.ask(*one, R"({"type":"publish","id":2,"topic":"signed/a","data":"hi","key":"k"})") ==
              Messages{R"({"type":"ack","id":2})"});
        CHECK(talk.fresh(*two) == Messages{R"({"type":"publication","topic":"signed/a","data":{"by":"ann","text":"hi"}})"});
        CHECK(talk.ask(*one, R"({"type":"publish","id":3,"topic":"signed/a","data":7})") ==
              Messages{R"({"type":"error","id":3,"code":"no_text","message":"say something","member":"data"})"});
        CHECK(talk.ask(*one, R"({"type":"publish","topic":"signed/a","data":7})").empty());
        CHECK(talk.fresh(*two).empty());
        // What it is called goes on to be the client's own.
        std::string const named = R"({"type":"publish","id":4,"topic":"signed/b","data":"x","idempotency":"a-name"})";
        CHECK(talk.ask(*one, named).at(0).ends_with(R"("repeated":false})"));
        CHECK(talk.ask(*one, named).at(0).ends_with(R"("repeated":true})"));
    }
}

TEST_CASE("Names of publications are their users' own, and nobody can compute them") {
    ProtocolHash const mine, another;
    CHECK(mine.id("ann", "x") == mine.id("ann", "x"));
    CHECK(mine.id("ann", "x") != another.id("ann", "x"));
    CHECK(mine.id("ann", "x") != mine.id("bob", "x"));
    CHECK(mine.id("a", "nx") != mine.id("an", "x"));
    CHECK(mine.id("", "x") != mine.key("x"));
    CHECK(ProtocolHash(mine).key("x") == mine.key("x"));
}

TEST_CASE("A publication with a key replaces what waits of the same key") {
    HubOptions<Speaking> options;
    options.topics.names = {{"orders", {.history = {.messages = 10, .newest_per_key = true}}}};
    Talk talk(1, options);
    auto client = talk.join();
    for (std::string const key : {"a", "b", "a"})
        talk.say(*client, R"({"type":"publish","topic":"orders","key":")" + key + R"(","data":")" + key + R"("})");
    CHECK(talk.ask(*client, R"({"type":"subscribe","id":1,"topic":"orders","newest":9})").size() == 3);
}

TEST_CASE("What may not be is refused, whenever the verdict comes") {
    for (std::size_t const shards : {1u, 2u}) {
        HubOptions<Speaking> options;
        options.access.gate->rule = [](auto const&) { return std::optional(false); };
        Talk talk(shards, options);
        auto client = talk.join();
        std::string const subscription =
            R"({"type":"error","id":1,"code":"refused","message":"this topic may not be subscribed to","member":"topic"})";
        std::string const publication =
            R"({"type":"error","id":2,"code":"refused","message":"this may not be published","member":"topic"})";
        CHECK(talk.ask(*client, R"({"type":"subscribe","id":1,"topic":"orders"})") == Messages{subscription});
        CHECK(talk.ask(*client, R"({"type":"publish","id":2,"topic":"orders","data":1})") == Messages{publication});
        options.access.gate->rule = [](auto const&) { return std::optional<bool>(); };
        CHECK(talk.ask(*client, R"({"type":"subscribe","id":1,"topic":"orders"})").empty());
        CHECK(talk.ask(*client, R"({"type":"publish","id":2,"topic":"orders","data":1})").empty());
        REQUIRE(options.access.gate->waiting.size() == 2);
        options.access.gate->waiting[0].answer({false});
        options.access.gate->waiting[1].answer({false});
        talk.run();
        CHECK(talk.fresh(*client) == Messages{subscription, publication});
        CHECK(talk.ask(*client, R"({"type":"subscribe","id":3,"topic":"orders"})").empty());
        options.access.gate->waiting[2].answer({true});
        talk.run();
        CHECK(talk.fresh(*client).at(0).starts_with(R"({"type":"subscribed","id":3,)"));
    }
}

TEST_CASE("Subscriptions that are there already, not there, taken back, or too many") {
    HubOptions<Speaking> options;
    options.subscriptions = 2;
    bool waits = false;
    options.access.gate->rule = [&](auto const&) { return waits ? std::optional<bool>() : std::optional(true); };
    Talk talk(1, options);
    auto client = talk.join();
    talk.ask(*client, R"({"type":"subscribe","id":1,"topic":"orders"})");
    CHECK(talk.ask(*client, R"({"type":"subscribe","id":2,"topic":"orders"})")
              .at(0)
              .starts_with(R"({"type":"error","id":2,"code":"already_subscribed")"));
    CHECK(talk.ask(*client, R"({"type":"unsubscribe","id":3,"topic":"x"})")
              .at(0)
              .starts_with(R"({"type":"error","id":3,"code":"not_subscribed")"));
    waits = true;
    CHECK(talk.ask(*client, R"({"type":"subscribe","id":4,"topic":"x"})").empty());
    CHECK(talk.ask(*client, R"({"type":"subscribe","id":5,"topic":"x"})")
              .at(0)
              .starts_with(R"({"type":"error","id":5,"code":"already_subscribed")"));
    CHECK(talk.ask(*client, R"({"type":"subscribe","id":6,"topic":"y"})")
              .at(0)
              .starts_with(R"({"type":"error","id":6,"code":"too_many")"));
    CHECK(talk.ask(*client, R"({"type":"unsubscribe","id":7,"topic":"x"})") ==
          Messages{R"({"type":"error","id":4,"code":"withdrawn","message":"the subscription was taken back before it began"})",
                   R"({"type":"ack","id":7})"});
    waits = false;
    CHECK(talk.ask(*client, R"({"type":"subscribe","id":8,"topic":"x"})") ==
          Messages{R"({"type":"subscribed","id":8,"topic":"x"})"});
}

TEST_CASE("A history is read in pages, by who is subscribed") {
    for (std::size_t const shards : {1u, 2u}) {
        Talk talk(shards);
        auto client = talk.join();
        CHECK(talk.ask(*client, R"({"type":"history","id":1,"topic":"orders"})")
                  .at(0)
                  .starts_with(R"({"type":"error","id":1,"code":"not_subscribed")"));
        for (int i = 1; i <= 12; ++i) talk.hub.publish("orders", Frame::text(std::to_string(i)));
        std::string const epoch = epoch_in(talk.ask(*client, R"({"type":"subscribe","id":2,"topic":"orders"})").at(0));
        std::string const head = R"(,"topic":"orders","epoch":")" + epoch + R"(","offset":12,)";
        CHECK(talk.ask(*client, R"({"type":"history","id":3,"topic":"orders","after":1,"limit":2})") ==
              Messages{R"({"type":"history","id":3)" + head +
                       R"("complete":false,"more":true,"publications":[{"offset":3,"data":3},{"offset":4,"data":4}]})"});
        CHECK(talk.ask(*client, R"({"type":"history","id":4,"topic":"orders","after":2,"before":5,"newest_first":true})") ==
              Messages{R"({"type":"history","id":4)" + head +
                       R"("complete":true,"more":false,"publications":[{"offset":4,"data":4},{"offset":3,"data":3}]})"});
        CHECK(talk.ask(*client, R"({"type":"history","id":5,"topic":"orders","after":12,"limit":0})") ==
              Messages{R"({"type":"history","id":5)" + head + R"("complete":true,"more":false,"publications":[]})"});
        talk.hub.publish("orders", Frame::text('"' + std::string(40'000, 'x') + '"'));
        talk.hub.publish("orders", Frame::text('"' + std::string(40'000, 'y') + '"'));
        auto const cut =
            nlohmann::json::parse(talk.ask(*client, R"({"type":"history","id":6,"topic":"orders","after":12})").back());
        CHECK(cut.at("publications").size() == 1);  // two are too many bytes
        CHECK(cut.at("more") == true);
    }
}

TEST_CASE("Requests are answered, at once or later, from any thread, or with an error") {
    for (std::size_t const shards : {1u, 2u}) {
        Talk talk(shards, {}, {.pending = 2});
        auto client = talk.join();
        CHECK(talk.ask(*client, R"({"type":"request","id":1,"method":"echo","params":[1,"a"]})") ==
              Messages{R"({"type":"reply","id":1,"result":[1,"a"]})"});
        CHECK(talk.ask(*client, R"({"type":"request","id":2,"method":"echo"})") ==
              Messages{R"({"type":"reply","id":2,"result":null})"});
        CHECK(
            talk.ask(*client, R"({"type":"request","id":3,"method":"double","params":"x"})") ==
            Messages{
                R"({"type":"error","id":3,"code":"wrong_kind","message":"the member \"params\" must be a number, and is a string","member":"params"})"});
        CHECK(
            talk.ask(*client, R"({"type":"request","id":4,"method":"dance"})") ==
            Messages{
                R"({"type":"error","id":4,"code":"unknown_method","message":"there is no method \"dance\"","member":"method"})"});
        CHECK(talk.ask(*client, R"({"type":"request","id":5,"method":"lose"})")
                  .at(0)
                  .starts_with(R"({"type":"error","id":5,"code":"no_answer")"));
        CHECK(talk.ask(*client, R"({"type":"request","id":6,"method":"later"})").empty());
        CHECK(talk.ask(*client, R"({"type":"request","id":7,"method":"later"})").empty());
        CHECK(talk.ask(*client, R"({"type":"request","id":8,"method":"later"})")
                  .at(0)
                  .starts_with(R"({"type":"error","id":8,"code":"too_many")"));
        std::thread([&] { talk.seen->replies[1].answer(ProtocolAnswer::result("late")); }).join();
        talk.run();
        CHECK(talk.fresh(*client) == Messages{R"({"type":"reply","id":7,"result":"late"})"});
        CHECK(talk.ask(*client, R"({"type":"request","id":9,"method":"echo","params":1})").size() == 1);
        client->lost = true;
        talk.run();
        talk.seen->replies[0].answer(ProtocolAnswer::result(1));  // nobody is there
        talk.run();
        CHECK(talk.hub.snapshot(0).callbacks_threw == 0);
    }
}

TEST_CASE("A token is refreshed, refused, or somebody else's; who guesses is ended") {
    for (std::size_t const shards : {1u, 2u}) {
        Talk talk(shards, {}, {.mistakes = 2});
        auto client = talk.join();
        CHECK(talk.ask(*client, R"({"type":"refresh","id":1,"token":"ann"})") == Messages{R"({"type":"ack","id":1})"});
        CHECK(talk.ask(*client, R"({"type":"refresh","id":2,"token":"bob"})")
                  .at(0)
                  .starts_with(R"({"type":"error","id":2,"code":"another_user")"));
        CHECK(talk.ask(*client, R"({"type":"refresh","id":3,"token":"later"})").empty());
        talk.seen->verdicts.at(0).answer(Authenticated::as({.user = "ann"}));
        talk.run();
        CHECK(talk.fresh(*client) == Messages{R"({"type":"ack","id":3})"});
        std::string const bad = R"({"type":"refresh","id":4,"token":"bad"})";
        std::string const refused = R"({"type":"error","id":4,"code":"refused","message":"it is bad","member":"token"})";
        CHECK(talk.ask(*client, bad) == Messages{refused});
        CHECK(talk.ask(*client, bad) == Messages{refused});
        CHECK(talk.ask(*client, bad) == Messages{refused, "close 1008"});
    }
}

TEST_CASE("A session is warned before its identity expires") {
    HubOptions<Speaking> options;
    options.auth.holds = 10s;
    options.expiry_warning = 3s;
    options.expiry_grace = 1s;
    Talk talk(1, options);
    auto client = talk.join();
    talk.pass(8s);
    CHECK(talk.fresh(*client) == Messages{R"({"type":"expiring"})"});
    CHECK(talk.seen->log.back() == "expiring");
    talk.pass(4s);
    CHECK(talk.fresh(*client) == Messages{"close 4401"});
}

TEST_CASE("Who is too slow is told how much was dropped") {
    HubOptions<Speaking> options;
    options.queue.messages = 4;
    options.topics.names = {{"news", {.on_full = OverflowAction::drop_oldest, .history = {}}}};
    Talk talk(1, options);
    auto client = talk.join();
    talk.ask(*client, R"({"type":"subscribe","id":1,"topic":"news"})");
    client->room = 0;
    for (int i = 0; i < 10; ++i) {
        talk.hub.publish("news", Frame::text(std::to_string(i)));
        talk.run();
    }
    client->room = MemoryWire::unlimited;
    talk.run();
    auto const heard = talk.fresh(*client);
    std::size_t const told = heard.size() - 1;
    CHECK(heard.back() == R"({"type":"gap","missed":)" + std::to_string(10 - told) + "}");
}

TEST_CASE("Pings are answered") {
    Talk talk;
    auto client = talk.join();
    CHECK(talk.ask(*client, R"({"type":"ping"})") == Messages{R"({"type":"pong"})"});
    CHECK(talk.ask(*client, R"({"type":"ping","id":5})") == Messages{R"({"type":"pong","id":5})"});
}

TEST_CASE("Who is subscribed may ask who is there, and is told who comes and goes") {
    using namespace std::chrono_literals;
    for (std::size_t const shards : {1u, 2u}) {
        Talk talk(shards);
        auto client = talk.join(), other = talk.join();
        auto const members = [&](std::string const& more) {
            return talk.ask(*client, R"({"type":"members","id":6,"topic":)" + more + "}").at(0);
        };
        CHECK(members(R"("room")").starts_with(R"({"type":"error","id":6,"code":"not_subscribed")"));
        talk.ask(*client, R"({"type":"subscribe","id":1,"topic":"news"})");
        CHECK(members(R"("news")").starts_with(R"({"type":"error","id":6,"code":"unsupported")"));

        talk.ask(*client, R"({"type":"subscribe","id":2,"topic":"room"})");
        CHECK(members(R"("room")")
                  .starts_with(R"({"type":"members","id":6,"topic":"room","sessions":1,"users":1,"members":[{"session":")"));
        CHECK(members(R"("room")").ends_with(R"(","user":"ann"}]})"));
        CHECK(members(R"("room","limit":0)") ==
              R"({"type":"members","id":6,"topic":"room","sessions":1,"users":1,"members":[]})");
        CHECK(members(R"("room","limit":101)").starts_with(R"({"type":"error","id":6,"code":"out_of_range")"));
        talk.pass(2s);
        CHECK(talk.fresh(*client).at(0).starts_with(R"({"type":"presence","topic":"room","entered":[{"session":")"));
        talk.ask(*other, R"({"type":"subscribe","id":1,"topic":"room"})");
        talk.pass(2s);
        CHECK(talk.fresh(*client).at(0).ends_with(R"("user":"ann"}],"left":[],"sessions":2,"users":1})"));
        other->lost = true;
        talk.run();
        talk.pass(2s);
        CHECK(talk.fresh(*client).at(0).starts_with(R"({"type":"presence","topic":"room","entered":[],"left":[{"session":")"));
    }
}

TEST_CASE("Who is so slow that the topic forgets what he has not got is told once more where he is") {
    for (std::size_t const shards : {1u, 2u}) {
        HubOptions<Speaking> options;
        options.queue.messages = 4;
        Talk talk(shards, options);
        auto const publish = [&](int first, int last) {
            for (int i = first; i <= last; ++i) talk.hub.publish("orders", Frame::text(std::to_string(i)));
            talk.run();
        };
        publish(1, 10);
        auto client = talk.join();
        client->room = 0;
        talk.ask(*client, R"({"type":"subscribe","id":1,"topic":"orders","newest":10})");
        publish(11, 40);
        client->room = MemoryWire::unlimited;
        talk.run();
        auto const heard = talk.fresh(*client);
        REQUIRE(heard.size() >= 2);
        CHECK(heard.front().starts_with(R"({"type":"subscribed","id":1,"topic":"orders")"));
        CHECK(heard.front().ends_with(R"("offset":0,"recovered":false})"));
        CHECK(heard.back().starts_with(R"({"type":"subscribed","topic":"orders")"));
        CHECK(heard.back().ends_with(R"("offset":40,"recovered":false})"));
    }
}
