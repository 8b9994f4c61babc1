#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <hubbub/backplane/redis/redis_names.hpp>
#include <hubbub/backplane/redis/redis_reader.hpp>
#include <hubbub/backplane/redis/redis_topics.hpp>

#include "tests/support/catch.hpp"

using namespace hubbub::detail;

TEST_CASE("slots of a cluster are as Redis computes them") {
    CHECK(redis_slot("123456789") == 0x31c3);  // of the specification
    CHECK(redis_slot("foo") == 12182);
    CHECK(redis_slot("{user1000}.following") == redis_slot("user1000"));
    CHECK(redis_slot("foo{}{bar}") != redis_slot("bar"));  // an empty tag is none
    CHECK(redis_slot("foo{{bar}}zap") == redis_slot("{bar"));
    CHECK(redis_slot("foo{bar}{zap}") == redis_slot("bar"));
    CHECK(redis_slot("foo{bar") != redis_slot("bar"));
}

TEST_CASE("channels and keys of a topic are in one slot, and no two topics have one in common") {
    RedisNames const names("hub", 42);
    std::vector<std::string> const topics{"", "a", "}", "{}", "a}:m", "a}", std::string("\0x", 2), "t:a", "}{b}"};
    std::vector<std::string> all;
    for (std::string const& topic : topics) {
        std::string const channel = names.channel(topic);
        std::string_view back;
        REQUIRE(names.topic_of(channel, back));
        CHECK(back == topic);
        all.push_back(channel);
        for (std::string const& key : RedisNames::keys(channel)) {
            CHECK(redis_slot(key) == redis_slot(channel));
            CHECK_FALSE(names.topic_of(key, back));
            all.push_back(key);
        }
    }
    std::sort(all.begin(), all.end());
    CHECK(std::adjacent_find(all.begin(), all.end()) == all.end());
    std::string_view topic;
    CHECK_FALSE(names.topic_of("other:{t:a}", topic));
    CHECK_FALSE(names.topic_of("hub:{t:", topic));
    CHECK_FALSE(names.topic_of(names.probe(3), topic));
    CHECK(names.probe(3) == "hub:probe:{3}:42");
}

TEST_CASE("replies come in any pieces") {
    std::string const large(100'000, 'x');
    std::string wire = "+OK\r\n:12\r\n*3\r\n$1\r\na\r\n$-1\r\n*2\r\n:1\r\n$3\r\n";
    wire += std::string("\r\n\0", 3) + "\r\n-ERR no\r\n$100000\r\n" + large + "\r\n*0\r\n";
    for (std::size_t const piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{4096}, wire.size()}) {
        RedisReader reader(std::size_t{1} << 20);
        int replies = 0;
        for (std::size_t at = 0; at < wire.size(); at += piece)
            reader.feed(std::string_view(wire).substr(at, piece), [&](redisReply const& reply) {
                switch (replies++) {
                    case 0: CHECK(redis_text(reply) == "OK"); break;
                    case 1: CHECK(reply.integer == 12); break;
                    case 2:
                        CHECK(redis_text(reply, 0) == "a");
                        CHECK(redis_element(reply, 1)->type == REDIS_REPLY_NIL);
                        CHECK(redis_text(*redis_element(reply, 2), 1) == std::string_view("\r\n\0", 3));
                        CHECK(redis_element(reply, 3) == nullptr);
                        break;
                    case 3: CHECK(reply.type == REDIS_REPLY_ERROR); break;
                    case 4: CHECK((redis_text(reply) == large)); break;
                    default: CHECK(reply.elements == 0); break;
                }
                return true;
            });
        CHECK(replies == 6);
        CHECK(reader.why() == "");
    }
}

TEST_CASE("what is no reply, or one without end, ends the reading") {
    auto const fails = [](std::string const& bytes) {
        RedisReader reader(std::size_t{1} << 20);
        reader.feed(bytes, [](redisReply const&) { return true; });
        return reader.failed();
    };
    CHECK(fails("HTTP/1.1 400 Bad Request\r\n"));
    CHECK(fails("$99999999999999999999\r\n"));
    CHECK(fails("*2000000\r\n"));
    CHECK(fails("$3000000\r\n" + std::string(2'000'000, 'x')));
    CHECK(fails("+" + std::string(2'000'000, 'x')));
    CHECK_FALSE(fails("$900000\r\n" + std::string(900'000, 'x')));
}

TEST_CASE("what changes of subscriptions within a turn is told at its end") {
    RedisTopics topics;
    std::string told;
    auto const flush = [&] {
        told.clear();
        topics.take_changes([&](std::string const& name) { told += "+" + name; },
                            [&](std::string const& name) { told += "-" + name; });
        return told;
    };
    topics.subscribe("a");
    CHECK(flush() == "+a");
    CHECK(flush() == "");
    CHECK(topics.confirm("a"));
    CHECK_FALSE(topics.confirm("a"));
    CHECK(topics.find("a") != nullptr);

    SECTION("who leaves and comes back is told of again") {
        topics.unsubscribe("a");
        CHECK(topics.find("a") == nullptr);
        topics.subscribe("a");
        CHECK(flush() == "+a");
        CHECK(topics.confirm("a"));
    }
    SECTION("only the last confirmation counts") {
        topics.unsubscribe("a");
        CHECK(flush() == "-a");
        topics.subscribe("a");
        CHECK(flush() == "+a");
        topics.unsubscribe("a");
        CHECK(flush() == "-a");
        topics.subscribe("a");
        CHECK(flush() == "+a");
        CHECK_FALSE(topics.confirm("a"));
        CHECK(topics.confirm("a"));
    }
    SECTION("who comes and leaves was never there") {
        topics.subscribe("b");
        topics.unsubscribe("b");
        CHECK(flush() == "");
        topics.unsubscribe("c");
        CHECK(flush() == "");
        CHECK_FALSE(topics.confirm("b"));
    }
    SECTION("a confirmation that comes when nobody wants it any more") {
        topics.subscribe("b");
        CHECK(flush() == "+b");
        topics.unsubscribe("b");
        CHECK(flush() == "-b");
        CHECK_FALSE(topics.confirm("b"));
        CHECK(flush() == "");
    }
    SECTION("a broker that has forgotten all is told all") {
        topics.subscribe("b");
        topics.unsubscribe("a");
        topics.forget_told();
        CHECK(flush() == "+b");
        CHECK(topics.confirm("b"));
    }
    SECTION("what is kept of a topic is touched now and then, while it is wanted") {
        int touched = 0;
        auto const touch = [&](hubbub::TimePoint now) {
            topics.touch_old(now, [&](std::string const&, RedisTopics::Topic const&) { ++touched; });
            return touched;
        };
        hubbub::TimePoint const begin{};
        CHECK(touch(begin) == 0);
        topics.find("a")->lives = std::chrono::hours(4);
        topics.find("a")->touch_at = begin + std::chrono::hours(1);
        CHECK(touch(begin + std::chrono::minutes(59)) == 0);
        CHECK(touch(begin + std::chrono::minutes(61)) == 1);
        CHECK(touch(begin + std::chrono::minutes(62)) == 1);
        CHECK(touch(begin + std::chrono::minutes(122)) == 2);
        topics.unsubscribe("a");
        CHECK(touch(begin + std::chrono::hours(9)) == 2);
    }
}
