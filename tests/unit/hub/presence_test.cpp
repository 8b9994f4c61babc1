// Topics that know who is subscribed to them.
#include <algorithm>
#include <string>
#include <vector>

#include "tests/unit/hub/memory_world.hpp"

namespace presence_test {

using namespace memory_world;
using namespace std::chrono_literals;

/// "/NAME" is the user NAME with a label, "/" is nobody.
struct ByTarget {
    void authenticate(http::Request const& request, PeerAddress const&, Verdict<Authenticated> verdict) {
        std::string const user(request.target().substr(1));
        verdict.answer(user.empty() ? Authenticated::as({}) : Authenticated::as({user, {"of " + user}, {}}));
    }
};
std::string text_of(std::vector<PresenceMember> const& members) {
    std::vector<std::string> names;
    for (auto const& member : members) {
        names.push_back(member.user);
        for (auto const& label : member.labels) names.back() += "," + label;
    }
    std::sort(names.begin(), names.end());
    std::string all;
    for (auto const& name : names) all += "[" + name + "]";
    return all;
}
struct Changes : SilentCodec {
    std::optional<Frame> presence(PresenceChange const& change) const {
        return Frame::text("+" + text_of(change.entered) + " -" + text_of(change.left) + " ?" + std::to_string(change.untold) +
                           " =" + std::to_string(change.sessions) + "/" + std::to_string(change.users));
    }
};
struct Known : DefaultPolicy {
    using Auth = ByTarget;
    using Topics = TopicsByName;
    using Codec = Changes;
};

struct Rooms : NoopHandler {
    void on_message(auto& session, MessageView message) {
        std::string const text(message.view());
        if (text == "out") return void(session.unsubscribe("room"));
        if (text == "label") return void(session.add_label("more"));
        if (text == "who")
            return void(session.read_presence("room", 10, [](auto& reader, PresencePage const& page) {
                reader.send(text_of(page.members) + " " + std::to_string(page.sessions) + "/" + std::to_string(page.users));
            }));
        session.subscribe("room");
    }
};

struct House : World<Rooms, Known> {
    House(PresenceOptions presence, std::size_t shards) : House(with(presence), shards) {}
    House(HubOptions<Known> options, std::size_t shards) : World(Rooms{}, shards, std::move(options)) {}
    static HubOptions<Known> with(PresenceOptions presence) {
        HubOptions<Known> options;
        options.topics.names = {{"room", {.presence = presence}}};
        return options;
    }
    std::shared_ptr<MemoryWire> come(std::string const& user) {
        std::string text(request);
        text.replace(text.find("/chat"), 5, "/" + user);
        auto wire = connect(text);
        say(*wire, "in");
        return wire;
    }
    PresencePage who(std::size_t most = 100) {
        PresencePage result;
        hub.read_presence("room", most, [&](PresencePage const& page) { result = page; });
        run();
        return result;
    }
};

TEST_CASE("A topic knows who is subscribed, with their labels, and each user once") {
    for (std::size_t const shards : {1u, 2u, 3u}) {
        House house({.kept = true}, shards);
        CHECK(house.who().sessions == 0);
        auto ada = house.come("ada"), ada2 = house.come("ada"), bob = house.come("bob"), nobody = house.come("");
        CHECK(text_of(house.who().members) == "[][ada,of ada][ada,of ada][bob,of bob]");
        CHECK(house.who().sessions == 4);
        CHECK(house.who().users == 3);
        CHECK(house.who(2).members.size() == 2);
        CHECK(house.who(0).sessions == 4);
        house.say(*bob, "out");
        ada2->lost = true;
        house.run();
        CHECK(text_of(house.who().members) == "[][ada,of ada]");
        house.say(*ada, "label");
        CHECK(text_of(house.who().members) == "[][ada,of ada,more]");
        house.say(*nobody, "who");
        CHECK(messages(*nobody).back() == "[][ada,of ada,more] 2/2");
        ada->lost = nobody->lost = true;
        house.run();
        CHECK(house.who().sessions == 0);
        house.pass(3s);
        for (std::size_t i = 0; i < shards; ++i) CHECK(house.hub.snapshot(i).memory_of_presence == 0);
    }
}

TEST_CASE("Subscribers are told who came and went, and no more often than they are to be") {
    for (std::size_t const shards : {1u, 2u}) {
        House house({.kept = true, .told_every = 1000ms}, shards);
        auto ada = house.come("ada");
        house.pass(2s);
        CHECK(messages(*ada) == Messages{"+[ada,of ada] - ?0 =1/1"});
        auto bob = house.come("bob"), eve = house.come("eve"), gone = house.come("gone");
        gone->lost = true;  // and came meanwhile
        house.run();
        house.pass(2s);
        CHECK(messages(*ada).back() == "+[bob,of bob][eve,of eve] - ?0 =3/3");
        house.say(*eve, "label");
        bob->lost = true;
        house.run();
        house.pass(2s);
        CHECK(messages(*ada).back() == "+[eve,of eve,more] -[bob,of bob] ?0 =2/2");
        CHECK(messages(*ada).size() == 3);
        house.pass(5s);
        CHECK(messages(*ada).size() == 3);
        house.sums();
    }
}

TEST_CASE("Who has read the list between two changes is told also what was undone behind that") {
    for (std::size_t const shards : {1u, 2u}) {
        House house({.kept = true, .told_every = 1000ms}, shards);
        auto ada = house.come("ada"), bob = house.come("bob");
        house.pass(2s);
        house.say(*bob, "out");
        auto eve = house.come("eve");
        CHECK(text_of(house.who().members) == "[ada,of ada][eve,of eve]");
        house.say(*bob, "in");
        house.say(*eve, "out");
        house.pass(2s);
        CHECK(messages(*ada).back() == "+[bob,of bob] -[eve,of eve] ?0 =2/2");
        std::size_t const told = messages(*ada).size();
        CHECK(house.who().sessions == 2);  // what is read when all is told
        house.say(*bob, "out");
        house.say(*bob, "in");
        house.pass(2s);
        CHECK((messages(*ada).size() == told || messages(*ada).back() == "+ - ?0 =2/2"));
    }
}

TEST_CASE("Of a crowd only so many are named, and the others are counted") {
    House house({.kept = true, .told_every = 500ms, .most_told = 3}, 2);
    std::vector<std::shared_ptr<MemoryWire>> crowd;
    for (int i = 0; i < 10; ++i) crowd.push_back(house.come("u" + std::to_string(i)));
    house.pass(1s);
    auto const told = messages(*crowd.front());
    REQUIRE(told.size() == 1);
    CHECK(told[0].ends_with(" ?7 =10/10"));
}

TEST_CASE("A change that is too long with all the names is told without them") {
    HubOptions<Known> options = House::with({.kept = true, .told_every = 500ms});
    options.queue.bytes = 600;
    options.queue.high_bytes = 300;
    options.queue.low_bytes = 100;
    House house(options, 2);
    std::vector<std::shared_ptr<MemoryWire>> crowd;
    for (int i = 0; i < 60; ++i) crowd.push_back(house.come("user" + std::to_string(i)));
    house.pass(1s);
    CHECK(messages(*crowd.front()) == Messages{"+ - ?60 =60/60"});
}

TEST_CASE("Where it is not to be told, nobody is") {
    House house({.kept = true, .told_every = 0ms}, 2);
    auto ada = house.come("ada"), bob = house.come("bob");
    house.pass(5s);
    CHECK(messages(*ada).empty());
    CHECK(house.who().sessions == 2);
}

TEST_CASE("A topic that does not know who is there says nothing") {
    House house(PresenceOptions{}, 1);
    auto ada = house.come("ada");
    CHECK(house.who().sessions == 0);
    house.pass(2s);
    CHECK(messages(*ada).empty());
}

}  // namespace presence_test
