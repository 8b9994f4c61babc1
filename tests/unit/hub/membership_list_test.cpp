#include <hubbub/hub/membership_list.hpp>

#include <map>
#include <random>
#include <vector>

#include "tests/support/catch.hpp"

using hubbub::Membership;
using hubbub::MembershipList;

TEST_CASE("A membership is found by its topic and where it stands, in a short list and in a long one") {
    MembershipList list;
    CHECK(list.find(1) == nullptr);
    for (std::uint32_t topic = 0; topic < 1000; ++topic) {
        list.add({topic, topic * 3});
        REQUIRE(list.size() == topic + 1);
        REQUIRE(list.find(topic + 1) == nullptr);
    }
    for (std::uint32_t topic = 0; topic < 1000; ++topic) {
        REQUIRE(list.find(topic) == &list[topic]);
        REQUIRE(list.find(topic)->place == topic * 3);
    }
}

TEST_CASE("The last membership takes the place of one that goes") {
    MembershipList list;
    for (std::uint32_t topic = 0; topic < 100; ++topic) list.add({topic, topic});
    list.remove(7);
    CHECK(list[7].topic == 99);
    CHECK(list.find(99) == &list[7]);
    CHECK(list.find(7) == nullptr);
    list.remove(98);  // the last itself
    CHECK(list.find(98) == nullptr);
    CHECK(list.size() == 98);
}

TEST_CASE("A list does what a map would, for topics that lie close, far apart and on top of each other in its table") {
    std::mt19937 random(11);
    for (std::uint32_t const stride : {1u, 64u, 4096u, 0x61C88647u}) {
        MembershipList list;
        std::map<std::uint32_t, std::uint32_t> truth;
        for (int step = 0; step < 20'000; ++step) {
            // It grows to some hundreds, and shrinks to none.
            bool const grows = (step / 2000) % 2 == 0;
            std::uint32_t const topic = static_cast<std::uint32_t>(random() % 500) * stride;
            if (auto* const known = list.find(topic)) {
                REQUIRE(truth.at(topic) == known->place);
                if (!grows || random() % 8 == 0) {
                    list.remove(static_cast<std::uint32_t>(known - list.begin()));
                    truth.erase(topic);
                }
            } else {
                REQUIRE_FALSE(truth.count(topic));
                if (grows || random() % 8 == 0) {
                    list.add({topic, static_cast<std::uint32_t>(step)});
                    truth[topic] = static_cast<std::uint32_t>(step);
                }
            }
            REQUIRE(list.size() == truth.size());
        }
        while (list.size()) {
            list.remove(0);
            if (list.size()) REQUIRE(list.find(list[0].topic) == &list[0]);
        }
        CHECK(list.find(0) == nullptr);
    }
}
