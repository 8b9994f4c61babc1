#include <hubbub/hub/subscriber.hpp>

#include <random>
#include <set>
#include <vector>

#include "tests/support/catch.hpp"

using hubbub::Membership;
using hubbub::Subscriber;

namespace {

std::set<std::uint32_t> topics_of(Subscriber& subscriber) {
    std::set<std::uint32_t> topics;
    subscriber.each_membership([&](Membership& membership) { topics.insert(membership.topic); });
    return topics;
}

}  // namespace

TEST_CASE("A subscriber finds its memberships, in its own places and beyond them") {
    Subscriber subscriber;
    CHECK(subscriber.memberships() == 0);
    for (std::uint32_t topic = 10; topic < 15; ++topic) {
        std::uint32_t const slot = subscriber.add({topic, topic * 2});
        CHECK(subscriber.by_slot(slot).topic == topic);
    }
    CHECK(subscriber.memberships() == 5);
    for (std::uint32_t topic = 10; topic < 15; ++topic) {
        REQUIRE(subscriber.find(topic));
        CHECK(subscriber.find(topic)->place == topic * 2);
    }
    CHECK(subscriber.find(99) == nullptr);
}

TEST_CASE("Removing a membership keeps the others, and says which of them has another slot now") {
    for (std::uint32_t const gone : {10u, 11u, 12u, 13u, 14u}) {
        Subscriber subscriber;
        for (std::uint32_t topic = 10; topic < 15; ++topic) subscriber.add({topic, topic});
        auto const [moved, slot] = subscriber.remove(subscriber.find(gone));
        std::set<std::uint32_t> expected{10, 11, 12, 13, 14};
        expected.erase(gone);
        CHECK(topics_of(subscriber) == expected);
        CHECK(subscriber.memberships() == 4);
        if (moved) {
            CHECK(&subscriber.by_slot(slot) == moved);
            CHECK(moved->topic == 14);
        } else {
            CHECK((gone < 12 || gone == 14));
        }
        std::uint32_t const again = subscriber.add({20, 7});
        CHECK(subscriber.by_slot(again).topic == 20);
        CHECK(subscriber.memberships() == 5);
    }
}

TEST_CASE("Slots that others remember stay right through any joining and leaving") {
    std::mt19937 random(3);
    Subscriber subscriber;
    std::vector<std::uint32_t> slot_of(30, ~0u);  // by topic, as a topic's list of members would know it
    for (int step = 0; step < 5000; ++step) {
        auto const topic = static_cast<std::uint32_t>(random() % 30);
        if (slot_of[topic] == ~0u) {
            slot_of[topic] = subscriber.add({topic, topic});
        } else {
            slot_of[topic] = ~0u;
            if (auto const [moved, slot] = subscriber.remove(subscriber.find(topic)); moved) slot_of[moved->topic] = slot;
        }
        for (std::uint32_t i = 0; i < 30; ++i) {
            REQUIRE((subscriber.find(i) != nullptr) == (slot_of[i] != ~0u));
            if (slot_of[i] != ~0u) REQUIRE(&subscriber.by_slot(slot_of[i]) == subscriber.find(i));
        }
    }
}
