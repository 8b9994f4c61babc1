#include <hubbub/hub/outbound_queue.hpp>

#include <random>
#include <string>

#include "tests/support/catch.hpp"
#include "tests/unit/hub/queue_bed.hpp"

using namespace queue_bed;

namespace {

constexpr std::uint32_t room_topic = 1, other_topic = 2;

/// A queue that leaves its pool clean, whatever the test has done.
struct QueueBed : Bed {
    ~QueueBed() {
        queue.clear(pool);
        CHECK(is_clean());
    }
    void push(std::uint32_t topic, std::initializer_list<Message> messages) { Bed::push(queue, topic, messages); }
    Texts content() const { return texts(bytes_of(queue)); }
    OutboundQueue queue;
};

}  // namespace

TEST_CASE("A queue counts bytes and messages, and neighbours of one block are one slice") {
    QueueBed bed;
    auto* const block = bed.block(room_topic, {{"one"}, {"two"}, {"three"}});
    bed.queue.push(block, 0, 5, 1);
    bed.queue.push(block, 5, 5, 1);
    CHECK(bed.queue.pending().size() == 1);
    bed.queue.push(bed.block(room_topic, {{"x"}}), 0, 3, 1);
    bed.queue.push(block, 10, 7, 1);
    CHECK(bed.queue.pending().size() == 3);
    CHECK(bed.queue.bytes() == 20);
    CHECK(bed.queue.messages() == 4);
    CHECK(bed.content() == Texts{"one", "two", "x", "three"});
}

TEST_CASE("What is out goes from the front, and a message counts when it is wholly out") {
    QueueBed bed;
    bed.push(room_topic, {{"one"}, {"two"}});
    bed.push(other_topic, {{"three"}});
    CHECK(bed.queue.taken(bed.pool, 4) == 0);
    CHECK(bed.queue.messages() == 3);
    CHECK(bed.queue.bytes() == 13);
    CHECK(bed.queue.taken(bed.pool, 3) == 1);  // the rest of "one" and the header of "two"
    CHECK(bed.queue.taken(bed.pool, 3) == 1);
    CHECK(bed.content() == Texts{"three"});
    CHECK(bed.queue.taken(bed.pool, 7) == 1);
    CHECK(bed.queue.empty());
    CHECK(bed.queue.bytes() == 0);
    CHECK(bed.queue.messages() == 0);
}

TEST_CASE("Every cut of what is out leaves the rest as it was") {
    std::string whole;
    for (std::uint32_t cut = 0; cut <= 21; ++cut) {
        CAPTURE(cut);
        QueueBed bed;
        bed.push(room_topic, {{"a"}, {"bcd"}});
        bed.push(other_topic, {{""}, {"efghi"}});
        bed.push(room_topic, {{"j"}});
        whole = bytes_of(bed.queue);
        REQUIRE(whole.size() == 20);
        if (cut > whole.size()) break;
        std::uint32_t const first = bed.queue.taken(bed.pool, cut);
        CHECK(bytes_of(bed.queue) == whole.substr(cut));
        CHECK(bed.queue.bytes() == whole.size() - cut);
        CHECK(first + bed.queue.messages() == 5);
        CHECK(first + bed.queue.taken(bed.pool, bed.queue.bytes()) == 5);
    }
}

TEST_CASE("A control frame goes in front of what is free, never into a frame that is partly out or held") {
    QueueBed bed;
    bed.push(room_topic, {{"one"}, {"two"}, {"three"}});
    auto* const ping = bed.control(ws::Opcode::ping, "P");
    SECTION("nothing is out") {
        bed.queue.push_control(ping, 0, ping->size);
        CHECK(bed.content() == Texts{"P", "one", "two", "three"});
    }
    SECTION("the first is partly out") {
        bed.queue.taken(bed.pool, 2);
        bed.queue.push_control(ping, 0, ping->size);
        CHECK(bytes_of(bed.queue).substr(0, 3) == "one");
        CHECK(texts(bytes_of(bed.queue).substr(3)) == Texts{"P", "two", "three"});
    }
    SECTION("the connection holds the first and a half") {
        bed.queue.hold(7);
        bed.queue.push_control(ping, 0, ping->size);
        CHECK(bed.content() == Texts{"one", "two", "P", "three"});
    }
    CHECK(bed.queue.control_frames() == 1);
    CHECK(bed.queue.messages() == 3);  // it is no message
    std::uint32_t const all = bed.queue.taken(bed.pool, bed.queue.bytes());
    CHECK(all == 3);
    CHECK(bed.queue.control_frames() == 0);
}

TEST_CASE("The Close goes behind everything, and stays when all that is free is dropped") {
    QueueBed bed;
    bed.push(room_topic, {{"one"}, {"two"}});
    bed.push(other_topic, {{"three"}});
    auto* const close = bed.control(ws::Opcode::close, "bye");
    bed.queue.taken(bed.pool, 3);
    bed.queue.push_last_control(close, 0, close->size);
    CHECK(bed.queue.drop_free(bed.pool) == 2);
    CHECK(bytes_of(bed.queue) == "ne" + std::string("\x88\x03") + "bye");
    CHECK(bed.queue.messages() == 1);
    CHECK(bed.queue.bytes() == 7);
    CHECK(bed.queue.taken(bed.pool, 7) == 1);
}

TEST_CASE("drop_oldest takes the oldest free message of the topic, and leaves what is partly out, held or another's") {
    QueueBed bed;
    bed.push(other_topic, {{"a"}});
    bed.push(room_topic, {{"one"}, {"two"}});
    bed.push(room_topic, {{"three"}});
    SECTION("free") {
        CHECK(bed.queue.drop_oldest(bed.pool, room_topic));
        CHECK(bed.content() == Texts{"a", "two", "three"});
        CHECK(bed.queue.drop_oldest(bed.pool, room_topic));
        CHECK(bed.queue.drop_oldest(bed.pool, room_topic));
        CHECK_FALSE(bed.queue.drop_oldest(bed.pool, room_topic));
        CHECK(bed.content() == Texts{"a"});
        CHECK(bed.queue.bytes() == 3);
        CHECK(bed.queue.messages() == 1);
        bed.push(room_topic, {{"four"}});
        CHECK(bed.queue.drop_oldest(bed.pool, room_topic));
        CHECK(bed.content() == Texts{"a"});
    }
    SECTION("partly out") {
        bed.queue.taken(bed.pool, 4);  // one byte of "one"
        CHECK(bed.queue.drop_oldest(bed.pool, room_topic));
        CHECK(texts(bytes_of(bed.queue).substr(4)) == Texts{"three"});
    }
    SECTION("held, and then given back") {
        bed.queue.hold(bed.queue.bytes());
        CHECK_FALSE(bed.queue.drop_oldest(bed.pool, room_topic));
        bed.queue.taken(bed.pool, 0);
        CHECK(bed.queue.drop_oldest(bed.pool, room_topic));
        CHECK(bed.content() == Texts{"a", "two", "three"});
    }
}

TEST_CASE("A message takes the place of the newest free one with its key, if there is room for it") {
    using Replaced = OutboundQueue::Replaced;
    QueueBed bed;
    bed.push(room_topic, {{"a1", 1}, {"b1", 2}, {"c1", 3}});
    bed.push(other_topic, {{"x1", 2}});
    auto const replace = [&](std::string_view text, std::uint64_t key, std::uint32_t most = 1000) {
        auto* const block = bed.block(room_topic, {{text, key}});
        return bed.queue.replace_key(bed.pool, key, block, 0, block->size, most);
    };
    CHECK(replace("b2", 2) == Replaced::yes);
    CHECK(bed.content() == Texts{"a1", "b2", "c1", "x1"});
    CHECK(replace("b3 is longer", 2) == Replaced::yes);
    CHECK(replace("a2", 1) == Replaced::yes);
    CHECK(replace("c2", 3) == Replaced::yes);
    CHECK(bed.content() == Texts{"a2", "b3 is longer", "c2", "x1"});
    CHECK(bed.queue.bytes() == 26);
    CHECK(bed.queue.messages() == 4);
    CHECK(replace("d", 4) == Replaced::no);
    CHECK(replace("much longer than there is room for", 3, 30) == Replaced::too_long);
    CHECK(bed.content() == Texts{"a2", "b3 is longer", "c2", "x1"});
    bed.queue.taken(bed.pool, 1);
    CHECK(replace("a3", 1) == Replaced::no);  // partly on the wire
}

TEST_CASE("What has outlived its time is dropped, wherever it is, and nothing else") {
    QueueBed bed;
    bed.push(room_topic, {{"keep"}, {"old", 0, 10}, {"older", 0, 5}, {"later", 0, 20}, {"old too", 0, 10}});
    bed.push(room_topic, {{"gone", 0, 1}});
    bed.push(other_topic, {{"stay", 0, 11}});
    CHECK(bed.queue.drop_expired(bed.pool, 4) == 1);
    CHECK(bed.queue.drop_expired(bed.pool, 10) == 3);
    CHECK(bed.content() == Texts{"keep", "later", "stay"});
    CHECK(bed.queue.messages() == 3);
    CHECK(bed.queue.bytes() == bytes_of(bed.queue).size());
    bed.queue.hold(bed.queue.bytes());
    CHECK(bed.queue.drop_expired(bed.pool, 99) == 0);
}

TEST_CASE("Bytes that are no frame go out first and count as no message") {
    QueueBed bed;
    std::string const answer = "HTTP/1.1 101 Switching Protocols\r\n\r\n";
    auto* const block = bed.pool.make(answer.size());
    std::memcpy(block->bytes, answer.data(), answer.size());
    block->size = static_cast<std::uint32_t>(answer.size());
    bed.blocks.push_back(block);
    bed.queue.push_opaque(block, block->size);
    bed.push(room_topic, {{"one"}});
    auto* const ping = bed.control(ws::Opcode::ping, "P");
    bed.queue.push_control(ping, 0, ping->size);
    CHECK(bed.queue.messages() == 1);
    CHECK(bytes_of(bed.queue).starts_with(answer + "\x89"));
    CHECK(bed.queue.drop_free(bed.pool) == 1);
    CHECK(bed.queue.taken(bed.pool, 10) == 0);
    CHECK(bed.queue.taken(bed.pool, bed.queue.bytes()) == 0);
}

TEST_CASE("A message that pins a large block is copied out, and the block is free again") {
    QueueBed bed;
    auto* const large = bed.pool.make(30'000, room_topic);
    bed.blocks.push_back(large);
    auto const header = ws::encode_server_header(large->bytes, ws::Opcode::text, 5);
    std::memcpy(large->bytes + header, "small", 5);
    large->size = 7;
    bed.queue.push(large, 0, 7, 1);
    bed.queue.compact(bed.pool, false);
    CHECK(bed.content() == Texts{"small"});
    CHECK(large->references == 1);
    CHECK(bed.queue.bytes() == 7);
    CHECK(bed.queue.messages() == 1);
}

TEST_CASE("A queue is what a list of messages would be, for any program of calls") {
    std::mt19937 random(11);
    for (int run = 0; run < 200; ++run) {
        QueueBed bed;
        Texts expected;  // whole messages; the first may be partly out
        std::size_t out = 0;
        std::vector<std::string> keep;
        keep.reserve(200);
        for (int step = 0; step < 60; ++step) {
            switch (random() % 5) {
                case 0:
                case 1: {
                    auto const& text = keep.emplace_back(std::to_string(step) + std::string(random() % 20, 'm'));
                    bed.push(room_topic, {{text}});
                    expected.push_back(text);
                    break;
                }
                case 2: {
                    std::uint32_t const some = static_cast<std::uint32_t>(random() % (bed.queue.bytes() + 1));
                    bed.queue.taken(bed.pool, some);
                    out += some;
                    while (!expected.empty() && out >= expected.front().size() + 2) {
                        out -= expected.front().size() + 2;
                        expected.erase(expected.begin());
                    }
                    break;
                }
                case 3: {
                    std::size_t const first_free = out > 0 ? 1 : 0;
                    bool const dropped = bed.queue.drop_oldest(bed.pool, room_topic);
                    REQUIRE(dropped == (expected.size() > first_free));
                    if (dropped) expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(first_free));
                    break;
                }
                default: bed.queue.compact(bed.pool, random() % 2 == 0);
            }
            std::string all;
            for (auto const& text : expected) {
                std::byte header[ws::max_server_header];
                auto const size = ws::encode_server_header(header, ws::Opcode::text, text.size());
                all.append(reinterpret_cast<char const*>(header), size).append(text);
            }
            REQUIRE(bytes_of(bed.queue) == all.substr(out));
            REQUIRE(bed.queue.messages() == expected.size());
            REQUIRE(bed.queue.bytes() == all.size() - out);
        }
    }
}
