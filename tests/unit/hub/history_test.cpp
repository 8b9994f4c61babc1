#include <hubbub/hub/history.hpp>

#include <string>
#include <vector>

#include "tests/support/catch.hpp"

namespace history_test {

using namespace hubbub;
using namespace std::chrono_literals;
using Messages = std::vector<std::string>;

std::int64_t at(std::chrono::milliseconds time) { return Duration(time).count(); }

/// A history, and the time.
struct Bed {
    explicit Bed(HistoryLimits limits) : history(limits) {}

    void add(std::string const& text, std::uint64_t key = 0, std::chrono::milliseconds expires_in = 0ms, std::uint64_t id = 0) {
        history.add(Frame::text(text), std::nullopt, ++last, key, expires_in.count() ? at(now + expires_in) : 0, id, at(now),
                    at(now));
    }
    Messages behind(std::uint64_t offset) {
        Messages result;
        history.forget_old(at(now));
        history.each_behind(offset, at(now), [&](History::Entry const& entry) {
            result.emplace_back(entry.frame->message().view());
            return true;
        });
        return result;
    }
    History history;
    std::uint64_t last = 0;
    std::chrono::milliseconds now = 1h;
};

TEST_CASE("A history has the newest messages, and says what it has lost") {
    Bed bed({.messages = 3});
    CHECK(bed.history.covers(0));
    for (auto const* text : {"a", "b", "c"}) bed.add(text);
    CHECK(bed.behind(0) == Messages{"a", "b", "c"});
    CHECK(bed.history.covers(0));
    bed.add("d");
    CHECK(bed.behind(0) == Messages{"b", "c", "d"});
    CHECK_FALSE(bed.history.covers(0));
    CHECK(bed.history.covers(1));  // nothing behind "a" is lost
    CHECK(bed.behind(2) == Messages{"c", "d"});
    CHECK(bed.behind(4).empty());
    CHECK(bed.history.covers(4));
    CHECK(bed.history.offset_before_newest(2, 4) == 2);
    CHECK(bed.history.offset_before_newest(9, 4) == 1);
    CHECK(bed.history.offset_before_newest(0, 4) == 4);
}

TEST_CASE("A history keeps no more bytes than it may, and nothing that is longer") {
    Bed bed({.messages = 100, .bytes = 10});
    bed.add("aaaa");
    bed.add("bbbb");
    bed.add("cccc");
    CHECK(bed.behind(0) == Messages{"bbbb", "cccc"});
    bed.add(std::string(11, 'd'));
    CHECK(bed.behind(0).empty());
    CHECK_FALSE(bed.history.covers(3));
    CHECK(bed.history.covers(4));
    bed.add("e");
    CHECK(bed.behind(4) == Messages{"e"});
}

TEST_CASE("A history forgets what is too old, also when nothing comes any more") {
    Bed bed({.messages = 100, .age = 10s});
    bed.add("a");
    bed.now += 6s;
    bed.add("b");
    CHECK(bed.behind(0) == Messages{"a", "b"});
    bed.now += 4s;
    CHECK(bed.behind(0) == Messages{"b"});
    CHECK_FALSE(bed.history.covers(0));
    CHECK(bed.history.covers(1));
    bed.now += 6s;
    CHECK(bed.behind(0).empty());
    CHECK(bed.history.messages() == 0);
    CHECK(bed.history.covers(2));
}

TEST_CASE("What has expired is not seen, and nobody has missed it") {
    Bed bed({.messages = 100});
    bed.add("a", 0, 2s);
    bed.add("b");
    bed.add("c", 0, 5s);
    bed.now += 2s;
    CHECK(bed.behind(0) == Messages{"b", "c"});
    CHECK(bed.history.covers(0));
    bed.now += 3s;
    CHECK(bed.behind(0) == Messages{"b"});
    CHECK(bed.history.covers(0));
}

TEST_CASE("A history of the newest of each key has each once, in the order of the newest") {
    Bed bed({.messages = 3, .newest_per_key = true});
    bed.add("x1", 1);
    bed.add("y1", 2);
    bed.add("x2", 1);
    bed.add("-");
    CHECK(bed.behind(0) == Messages{"y1", "x2", "-"});
    CHECK(bed.history.covers(0));  // what was replaced nobody misses
    for (int i = 3; i < 200; ++i) bed.add("x" + std::to_string(i), 1);
    CHECK(bed.behind(0) == Messages{"y1", "-", "x199"});
    CHECK(bed.history.covers(0));
    bed.add("z1", 3);
    CHECK(bed.behind(0) == Messages{"-", "x199", "z1"});
    CHECK_FALSE(bed.history.covers(0));
    bed.add("y2", 2);  // its predecessor is lost, not replaced
    CHECK(bed.behind(0) == Messages{"x199", "z1", "y2"});
}

TEST_CASE("An id is known for its time, and no more than so many are") {
    Bed bed({.messages = 1, .id_age = 10s, .ids = 2});
    auto const find = [&](std::uint64_t id) { return bed.history.find_id(id, at(bed.now)); };
    bed.add("a", 0, 0ms, 7);
    bed.now += 6s;
    bed.add("b", 0, 0ms, 8);
    CHECK(find(7) == 1u);
    CHECK(find(8) == 2u);
    CHECK_FALSE(find(9));
    bed.now += 4s;
    CHECK_FALSE(find(7));
    CHECK(find(8) == 2u);
    bed.add("c", 0, 0ms, 9);
    bed.add("d", 0, 0ms, 10);
    CHECK_FALSE(find(8));
    CHECK(find(10) == 4u);
}

TEST_CASE("A history that is empty uses no memory, and counts what it uses") {
    Bed bed({.messages = 1000, .age = 10s, .newest_per_key = true, .id_age = 10s});
    CHECK(bed.history.footprint() == 0);
    for (std::uint64_t i = 1; i <= 100; ++i) bed.add(std::string(1000, 'x'), i % 50, 0ms, i);
    CHECK(bed.history.footprint() > 50'000);
    std::size_t const before = bed.history.footprint();
    bed.history.forget_some(20'000);
    CHECK(bed.history.footprint() <= before - 20'000);
    CHECK(bed.history.footprint() > before - 22'000);
    bed.now += 10s;
    bed.history.forget_old(at(bed.now));
    CHECK(bed.history.empty());
    CHECK(bed.history.footprint() == 0);
}

TEST_CASE("A history is read in either direction, up to where the reader wants") {
    Bed bed({.messages = 10});
    for (auto const* text : {"a", "b", "c", "d"}) bed.add(text);
    Messages read;
    bed.history.each_before(4, at(bed.now), [&](History::Entry const& entry) {
        read.emplace_back(entry.frame->message().view());
        return read.size() < 2;
    });
    CHECK(read == Messages{"c", "b"});
}

}  // namespace history_test
