// The chat without a network and without waiting: its clients, their sockets and three shards are simulated, and a seed decides
// what happens in which order.
#include "self_test.hpp"

#include <cstdint>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <hubbub/testing/simulation.hpp>

#include "chat.hpp"

namespace chat {
namespace {

using Json = nlohmann::json;
using HubUnderTest = hubbub::Hub<hubbub::MemoryConnection, ChatPolicy>;

bool fine = true;

void check(bool holds, std::string const& what, std::uint64_t seed) {
    if (holds) return;
    fine = false;
    std::cerr << "not so with seed " << seed << ": " << what << '\n';
}

/// What the page does, without the page: keeps the list of one room, and what was said.
struct Person {
    hubbub::testing::Client client;
    std::size_t read = 0;
    std::uint64_t id = 0, version = 0;
    std::map<std::uint64_t, std::string> members{};
    std::vector<std::string> said{}, problems{};
    std::uint64_t missed = 0, surprises = 0;

    void send(std::string_view type, Json const& data) { client.send_text(Json{{"type", type}, {"data", data}}.dump()); }
    void join(std::string_view name) { send("join", {{"room", "lobby"}, {"name", name}}); }
    void say(std::string_view text) { send("say", {{"room", "lobby"}, {"text", text}}); }

    void take_list(Json const& data) {
        version = data["version"];
        members.clear();
        for (Json const& each : data["members"]) members.emplace(each["id"], each["name"]);
    }
    /// A change that the list has not: who comes is new, who goes or changes a name is known.
    void apply(std::string_view type, Json const& change) {
        std::uint64_t const whose = change["id"];
        if (members.contains(whose) == (type == "came")) ++surprises;
        members.erase(whose);
        if (type != "went") members.emplace(whose, change["name"]);
    }
    void hear(Json const& message) {
        std::string const type = message["type"];
        Json const& data = message["data"];
        if (type == "joined") {
            id = data["id"];
            take_list(data);
        } else if (type == "left") {
            id = 0;
        } else if (type == "members") {
            take_list(data);
        } else if (type == "came" || type == "renamed" || type == "went") {
            if (id && data["version"] > version) apply(type, data);
        } else if (type == "said") {
            said.push_back(message["from"].get<std::string>() + ": " + data["text"].get<std::string>());
        } else if (type == "missed") {
            missed += data["count"].get<std::uint64_t>();
        } else if (type == "error") {
            problems.push_back(data["code"]);
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
    Chat handler;
    HubUnderTest hub;

    explicit World(std::uint64_t seed, hubbub::HubOptions<ChatPolicy> options = hub_options())
        : sim(seed, 3), hub(sim.hub<ChatPolicy>(handler, std::move(options))) {
        handler.rooms->publish = [broadcaster = hub.broadcaster()](std::string_view topic, hubbub::Frame const& frame) {
            broadcaster.publish(topic, frame);
        };
    }
    Person connect() { return Person{sim.connect(hub, {.shard = static_cast<std::size_t>(sim.pick(3))})}; }
    template <class... People>
    void settle(People&... people) {
        sim.run_until_idle();
        (people.hear_all(), ...);
    }
};

void people_talk(std::uint64_t seed) {
    World world(seed);
    Person ann = world.connect(), other = world.connect();
    ann.join(" Ann\u202e ");
    world.settle(ann, other);
    other.join("ann");
    world.settle(ann, other);
    check(ann.members[ann.id] == "Ann", "a name is cleaned", seed);
    check(ann.members[other.id] == "ann 2", "a name that is taken gets a number", seed);
    ann.say("hello");
    world.settle(ann, other);
    other.say("<b>hello</b>");
    other.send("rename", {{"room", "lobby"}, {"name", "Bob"}});
    other.say("it is me");
    world.settle(ann, other);
    std::vector<std::string> const expected{"Ann: hello", "ann 2: <b>hello</b>", "Bob: it is me"};
    check(ann.said == expected && other.said == expected, "both hear everything, once and in one order", seed);
    other.client.reset();
    world.settle(ann);
    check(ann.members.size() == 1, "who is gone without a word is taken from the list", seed);
}

/// People come, go, change their names and vanish, with all of it under way at once.
void lists_are_right(std::uint64_t seed) {
    World world(seed);
    std::vector<Person> people;
    for (int i = 0; i < 6; ++i) people.push_back(world.connect());
    for (int i = 0; i < 80; ++i) {
        Person& one = people[world.sim.pick(people.size())];
        switch (world.sim.pick(8)) {
            case 0: one.send("leave", {{"room", "lobby"}}); break;
            case 1: one.send("rename", {{"room", "lobby"}, {"name", "name " + std::to_string(world.sim.pick(4))}}); break;
            case 2: one.send("members", {{"room", "lobby"}}); break;
            case 3:
                if (world.sim.one_in(4)) {
                    one.client.reset();
                    one = world.connect();
                }
                break;
            default: one.join("name " + std::to_string(world.sim.pick(4)));
        }
        for (std::uint64_t steps = world.sim.pick(6); steps; --steps) world.sim.step();
    }
    world.sim.run_until_idle();
    auto const list = world.handler.rooms->list("lobby");
    std::map<std::uint64_t, std::string> truth;
    for (Member const& each : list.members) truth.emplace(each.id, each.name);
    std::size_t present = 0;
    for (Person& one : people) {
        one.hear_all();
        if (!one.id) continue;
        ++present;
        check(one.surprises == 0, "no change is told to who knows it already", seed);
        check(one.members == truth, "each member's list is the list", seed);
    }
    check(present == truth.size(), "who is in the list is there", seed);
}

void limits_hold(std::uint64_t seed) {
    World world(seed);
    Person one = world.connect();
    one.say("too early");
    one.join("One");
    one.join("One");
    world.settle(one);
    one.say(std::string(Rules::text + 1, 'x'));
    one.say(" \n ");
    one.send("join", {{"room", "#"}, {"name", "One"}});
    one.send("join", {{"room", "other"}, {"name", std::string(Rules::name + 1, 'x')}});
    one.send("join", {{"room", "other"}});
    one.send("dance", Json::object());
    one.client.send_text("{");
    world.settle(one);
    check(one.problems.size() == 8 && one.problems.front() == "not_in_room" && one.problems[1] == "too_long",
          "what is wrong is answered", seed);
    for (int i = 0; i < 20; ++i) one.say("quick");
    world.settle(one);
    check(one.said.size() < 12 && one.problems.back() == "too_fast", "who speaks too fast is refused", seed);
    for (int i = 0; i < 100; ++i) one.say("quick");
    world.settle(one);
    check(one.client.ended() && one.client.ended()->code == hubbub::CloseCode::policy_violation, "who goes on and on is closed",
          seed);
}

void slow_people_are_told(std::uint64_t seed) {
    auto options = hub_options();
    options.queue.messages = 20;
    World world(seed, options);
    Person slow = world.connect();
    std::vector<Person> others;
    for (int i = 0; i < 6; ++i) others.push_back(world.connect());
    slow.join("Slow");
    for (Person& each : others) each.join("Other");
    world.settle(slow);
    slow.client.stall();
    for (int i = 0; i < 7; ++i) {
        for (Person& each : others) each.say(std::to_string(i));
        world.sim.run_until_idle();
    }
    slow.client.unstall();
    world.settle(slow, others.front());
    check(others.front().said.size() == 42, "the others hear all", seed);
    check(slow.missed > 0 && slow.said.size() + slow.missed == 42, "who is slow is told how much it has missed", seed);
}

}  // namespace

int self_test() {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        people_talk(seed);
        lists_are_right(seed);
        limits_hold(seed);
        slow_people_are_told(seed);
    }
    if (fine) std::cout << "50 seeds passed\n";
    return fine ? 0 : 1;
}

}  // namespace chat
