#include <hubbub/hub/topic_index.hpp>

#include <set>
#include <string>
#include <unordered_map>

#include "tests/support/catch.hpp"

using hubbub::SipHash;
using hubbub::Topic;
using hubbub::TopicIndex;

TEST_CASE("A topic has one number for as long as it lives, whoever asks") {
    TopicIndex topics(SipHash{1, 2});
    std::string name = "room";
    auto const number = topics.intern(name);
    name = "gone";  // the index has its own copy
    CHECK(topics.intern("room") == number);
    CHECK(topics.find("room") == number);
    CHECK(topics[number].name == "room");
    CHECK_FALSE(topics.find("gone"));
    CHECK_FALSE(topics.find("roo"));
    CHECK_FALSE(topics.find(""));
    CHECK(topics.size() == 1);
}

TEST_CASE("Thousands of topics, long names and names with zeros in them are told apart, and none moves") {
    TopicIndex topics(SipHash{3, 4});
    Topic const* const first = &topics[topics.intern("0")];
    std::set<std::uint32_t> numbers;
    for (int i = 0; i < 5000; ++i) numbers.insert(topics.intern(std::to_string(i)));
    CHECK(numbers.size() == 5000);
    CHECK(&topics[*topics.find("0")] == first);
    using namespace std::string_literals;
    CHECK(topics.intern("\0all"s) != topics.intern("\0al"s));
    CHECK(topics.intern("a\0b"s) != topics.intern("a\0c"s));
    CHECK(topics.intern(std::string(300, 'x')) != topics.intern(std::string(301, 'x')));
    for (int i = 0; i < 5000; ++i) REQUIRE(topics[*topics.find(std::to_string(i))].name == std::to_string(i));
}

TEST_CASE("A topic that is erased is gone; its number is used again for a topic that knows nothing of it") {
    TopicIndex topics(SipHash{});
    auto const old = topics.intern("old");
    auto const other = topics.intern("other");
    topics[old].position = {1, 99};
    topics[old].dropped[0] = 5;
    topics[old].keeps_last_of_key = true;
    topics.erase(old);
    CHECK_FALSE(topics.find("old"));
    CHECK(topics.size() == 1);
    auto const fresh = topics.intern("fresh");
    CHECK(fresh == old);
    CHECK(topics[fresh].position == hubbub::Position{});
    CHECK(topics[fresh].dropped[0] == 0);
    CHECK_FALSE(topics[fresh].keeps_last_of_key);
    CHECK(topics.find("other") == other);
    CHECK(topics.intern("old") != fresh);
}

TEST_CASE("An index does what a map would, for any program of interning and erasing") {
    TopicIndex topics(SipHash{5, 6});
    std::unordered_map<std::string, std::uint32_t> map;
    std::uint32_t state = 12345;
    for (int step = 0; step < 20'000; ++step) {
        state = state * 1664525 + 1013904223;
        std::string const name = "topic " + std::to_string((state >> 16) % 100);
        auto const known = topics.find(name);
        auto const expected = map.find(name);
        REQUIRE(known.has_value() == (expected != map.end()));
        if (known) REQUIRE(*known == expected->second);
        if (known && state % 3 == 0) {
            topics.erase(*known);
            map.erase(name);
        } else if (!known) {
            auto const number = topics.intern(name);
            for (auto const& [other, taken] : map) REQUIRE(taken != number);
            map[name] = number;
        }
        REQUIRE(topics.size() == map.size());
    }
}
