// The chat without a network and without waiting: its clients, their sockets and three shards are simulated, and a seed decides
// what happens in which order.
#include "self_test.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <hubbub/testing/simulation.hpp>

#include "chat.hpp"

namespace chat {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;
using HubUnderTest = hubbub::Hub<hubbub::MemoryConnection, ChatPolicy>;
using Texts = std::vector<std::string>;

bool fine = true;

void check(bool holds, std::string const& what, std::uint64_t seed) {
    if (holds) return;
    fine = false;
    std::cerr << "not so with seed " << seed << ": " << what << '\n';
}

/// What the page does, without the page: keeps who is in the lobby, and what was said there.
struct Person {
    hubbub::testing::Client client;
    std::string self;  // no other has it
    std::size_t read = 0;
    Json position{};  // of what was said last
    bool missed = false;
    std::string session{}, name{};
    std::map<std::string, std::string> members{};
    Texts said{}, problems{};
    std::size_t count = 0, acknowledged = 0, typing = 0;

    void send(std::string_view type, Json message) {
        message["type"] = type;
        message["id"] = 1;
        client.send_text(message.dump());
    }
    void join() {
        Json message{{"topic", "room/lobby"}, {"newest", 100}};
        if (!position.is_null()) message["since"] = position;
        send("subscribe", std::move(message));
        send("subscribe", {{"topic", "typing/lobby"}});
    }
    void leave() { send("unsubscribe", {{"topic", "room/lobby"}}); }
    void say(std::string const& text, std::string const& id) {
        send("publish", {{"topic", "room/lobby"}, {"data", {{"id", id}, {"text", text}}}, {"idempotency", self + id}});
    }
    void say(std::string const& text) { say(text, "id " + std::to_string(++count)); }
    void type() { send("publish", {{"topic", "typing/lobby"}, {"data", nullptr}}); }
    void rename(std::string_view wanted) { send("request", {{"method", "rename"}, {"params", {{"name", wanted}}}}); }

    static std::string name_of(Json const& member) {
        return member.contains("labels") ? member["labels"][0].get<std::string>().substr(name_label.size()) : "Somebody";
    }
    void take(Json const& list) {
        for (Json const& each : list) members[each["session"]] = name_of(each);
    }
    void hear(Json const& message) {
        std::string const type = message["type"];
        if (type == "connected") session = message["session"];
        if (type == "message") name = message["data"]["name"];
        if (type == "ack") ++acknowledged;
        if (type == "error") problems.push_back(message["code"]);
        if (type == "subscribed" && message["topic"] == "room/lobby") {
            missed = missed || (!position.is_null() && !message["recovered"]);
            send("members", {{"topic", "room/lobby"}});  // not before, because changes are told from now on
        }
        if (type == "publication" && message["topic"] == "typing/lobby") ++typing;
        if (type == "publication" && message["topic"] == "room/lobby") {
            Json const& data = message["data"];
            said.push_back(data["name"].get<std::string>() + ": " + data["text"].get<std::string>());
            position = {{"epoch", message["epoch"]}, {"offset", message["offset"]}};
        }
        if (type == "members") members.clear(), take(message["members"]);
        if (type == "presence") {
            for (Json const& each : message["left"]) members.erase(each["session"]);
            take(message["entered"]);
        }
    }
    void hear_all() {
        auto const& received = client.received();
        for (; read < received.size(); ++read) hear(Json::parse(received[read].payload));
    }
};

/// A hub over three shards, and people in it.
struct World {
    hubbub::testing::Simulation sim;
    HubUnderTest hub;

    explicit World(std::uint64_t seed, hubbub::HubOptions<ChatPolicy> options = hub_options())
        : sim(seed, 3), hub(sim.hub<ChatPolicy>(hubbub::ProtocolHandler{Chat{}}, std::move(options))) {}

    hubbub::testing::Client socket(std::string const& name) {
        return sim.connect(hub, {.target = "/ws?name=" + name,
                                 .headers = "Sec-WebSocket-Protocol: hubbub.v1.json\r\n",
                                 .shard = static_cast<std::size_t>(sim.pick(3))});
    }
    Person connect(std::string const& name) { return Person{socket(name), std::to_string(sim.clients().size()) + ' '}; }
    template <class... People>
    void settle(People&... people) {
        for (int i = 0; i < 2; ++i) {  // what is heard makes them ask
            sim.run_for(1s);           // so long presence may wait
            (people.hear_all(), ...);
        }
    }
};

void people_talk(std::uint64_t seed) {
    World world(seed);
    Person ann = world.connect("+%E2%80%AEAnn%20"), other = world.connect("Ann"), late = world.connect("");
    ann.join();
    other.join();
    world.settle(ann, other);
    check(ann.name == "Ann" && ann.session != other.session, "a name is cleaned, and two may have it", seed);
    ann.say("hello");
    world.settle(ann, other);
    other.say("<b>hello</b>");
    other.rename(" Bob ");
    other.say("it is me");
    other.type();
    world.settle(ann, other);
    Texts const expected{"Ann: hello", "Ann: <b>hello</b>", "Bob: it is me"};
    check(ann.said == expected && other.said == expected, "both hear everything, once and in one order", seed);
    check(other.acknowledged == 3 && ann.typing == 1 && other.typing == 0, "what is said is confirmed, typing is for others",
          seed);
    check(ann.members[other.session] == "Bob", "a new name is told", seed);
    other.client.reset();
    late.join();
    world.settle(ann, late);
    check(late.said == expected, "who comes later sees what was said", seed);
    check(ann.members.size() == 2 && ann.members == late.members && ann.members[late.session] == "Somebody",
          "who is gone without a word is taken from the list", seed);
}

/// People come, go, change their names and vanish, with all of it under way at once.
void lists_are_right(std::uint64_t seed) {
    World world(seed);
    std::vector<Person> people;
    for (int i = 0; i < 6; ++i) people.push_back(world.connect("Ann"));
    for (int i = 0; i < 80; ++i) {
        Person& one = people[world.sim.pick(people.size())];
        switch (world.sim.pick(6)) {
            case 0: one.leave(); break;
            case 1: one.rename("name " + std::to_string(world.sim.pick(4))); break;
            case 2:
                if (world.sim.one_in(4)) {
                    one.client.reset();
                    one = world.connect("Ann");
                }
                break;
            default: one.join();
        }
        for (std::uint64_t steps = world.sim.pick(6); steps; --steps) world.sim.step();
        one.hear_all();
        if (world.sim.one_in(10)) world.sim.run_for(300ms);
    }
    for (Person& one : people) one.join();
    for (int i = 0; i < 2; ++i) {
        world.settle();
        for (Person& one : people) one.hear_all();
    }
    for (Person const& one : people)
        check(one.members.size() == 6 && one.members == people[0].members, "all have one list", seed);
}

/// A connection is cut under traffic, and what was not confirmed is said again.
void nothing_is_lost(std::uint64_t seed) {
    World world(seed);
    Person ann = world.connect("Ann"), bob = world.connect("Bob");
    ann.join();
    bob.join();
    world.settle(ann, bob);
    Texts expected;
    for (int i = 0; i < 8; ++i) {
        Person& speaker = world.sim.one_in(2) ? ann : bob;
        std::string const text = std::to_string(i);
        speaker.say(text, text);
        expected.push_back(speaker.name + ": " + text);
        for (std::uint64_t steps = world.sim.pick(12); steps; --steps) world.sim.step();
        for (Person* const each : {&ann, &bob}) {
            each->hear_all();
            if (world.sim.one_in(2)) continue;
            each->client.reset();
            each->client = world.socket(each->name);
            each->read = 0;
            each->join();
            if (each == &speaker && speaker.count++ < 3) speaker.say(text, text);
        }
        world.settle(ann, bob);
    }
    check(!ann.missed && !bob.missed, "who was away for a moment is told that he gets what he missed", seed);
    check(ann.said == expected && bob.said == expected, "nothing is lost, and nothing comes twice", seed);
}

void limits_hold(std::uint64_t seed) {
    World world(seed);
    Person one = world.connect("One");
    one.say("too early");
    one.join();
    world.settle(one);
    check(one.name == "One" && one.problems == Texts{"not_in_room"}, "who speaks is in the room", seed);
    one.say(std::string(Rules::text + 1, 'x'));
    one.say(" \n ");
    one.say("x", std::string(Rules::id + 1, 'x'));
    one.send("publish", {{"topic", "room/lobby"}, {"data", 7}});
    one.send("subscribe", {{"topic", "room/Lobby"}});
    one.send("subscribe", {{"topic", "elsewhere"}});
    one.rename(std::string(Rules::name + 1, 'x'));
    one.client.send_text("{");
    world.settle(one);
    check(one.problems.size() == 9 && one.problems[1] == "too_long", "what is wrong is answered", seed);
    for (int i = 0; i < 20; ++i) one.say("quick " + std::to_string(i));
    world.settle(one);
    check(one.said.size() < 12 && one.problems.back() == "too_fast", "who speaks too fast is refused", seed);
    for (int i = 0; i < 100; ++i) one.type();
    world.settle(one);
    check(one.client.ended() && one.client.ended()->code == hubbub::CloseCode::policy_violation, "who goes on and on is closed",
          seed);
}

/// Who does not keep up is ended, and has missed nothing when he is back.
void slow_people_come_back(std::uint64_t seed) {
    auto options = hub_options();
    options.queue.messages = 20;
    World world(seed, options);
    Person slow = world.connect("Slow");
    std::vector<Person> others;
    for (int i = 0; i < 6; ++i) others.push_back(world.connect(std::to_string(i)));
    slow.join();
    for (Person& each : others) each.join();
    world.settle(slow);
    slow.client.stall();
    for (int i = 0; i < 7; ++i) {
        for (Person& each : others) each.say(std::to_string(i));
        world.sim.run_until_idle();
    }
    world.sim.run_for(10s);  // so long it may say goodbye
    others.front().hear_all();
    check(slow.client.ended() && slow.client.ended()->code == hubbub::CloseCode::try_again_later, "who is slow is ended", seed);
    slow.client = world.socket("Slow");
    slow.read = 0;
    slow.join();
    world.settle(slow);
    check(others.front().said.size() == 42 && slow.said == others.front().said, "who is slow hears all when he is back", seed);
}

}  // namespace

int self_test() {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        people_talk(seed);
        lists_are_right(seed);
        nothing_is_lost(seed);
        limits_hold(seed);
        slow_people_come_back(seed);
    }
    if (fine) std::cout << "50 seeds passed\n";
    return fine ? 0 : 1;
}

}  // namespace chat
