#include <hubbub/hub/session_table.hpp>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"

using hubbub::SessionId;
using hubbub::SessionTable;
using hubbub::ShardIndex;

namespace {

struct Thing {
    Thing(SessionId given, std::string text, std::shared_ptr<int> token)
        : name(std::move(text)), id_(given), token_(std::move(token)) {}
    SessionId id() const noexcept { return id_; }
    std::string name;

   private:
    SessionId id_;
    std::shared_ptr<int> token_;
};

struct Fussy {
    Fussy(SessionId given, bool refuse) : id_(given) {
        if (refuse) throw 1;
    }
    SessionId id() const noexcept { return id_; }
    SessionId id_;
};

}  // namespace

TEST_CASE("A session is found by its id, and its address stays while others come") {
    SessionTable<Thing> table;
    Thing& first = table.make(ShardIndex{3}, "first", nullptr);
    CHECK(first.id().shard.value == 3);
    CHECK(first.id());
    for (int i = 0; i < 2000; ++i) table.make(ShardIndex{3}, "other", nullptr);
    CHECK(table.find(first.id()) == &first);
    CHECK(table[first.id().index].name == "first");
    CHECK(table.size() == 2001);
}

TEST_CASE("The id of a session that has gone is never that of its successor") {
    SessionTable<Thing> table;
    SessionId const old = table.make(ShardIndex{0}, "old", nullptr).id();
    table.destroy(old.index);
    CHECK(table.find(old) == nullptr);
    Thing& fresh = table.make(ShardIndex{0}, "new", nullptr);
    CHECK(fresh.id().index == old.index);  // the place is used again
    CHECK(fresh.id() != old);
    CHECK(table.find(old) == nullptr);
    CHECK(table.find(fresh.id()) == &fresh);
}

TEST_CASE("An id with an index, a generation or a shard that never was finds nothing") {
    SessionTable<Thing> table;
    CHECK(table.find(SessionId{}) == nullptr);
    CHECK(table.find(SessionId{99'999, 1, ShardIndex{0}}) == nullptr);
    SessionId const id = table.make(ShardIndex{0}, "one", nullptr).id();
    CHECK(table.find({id.index, id.generation + 1, id.shard}) == nullptr);
    CHECK(table.find({id.index + 1, id.generation, id.shard}) == nullptr);
    CHECK(table.find({id.index, id.generation, ShardIndex{1}}) == nullptr);
}

TEST_CASE("Every session is visited once, and a visit may destroy the one that it is at") {
    SessionTable<Thing> table;
    std::vector<SessionId> ids;
    for (int i = 0; i < 600; ++i) ids.push_back(table.make(ShardIndex{0}, std::to_string(i), nullptr).id());
    for (std::size_t i = 0; i < ids.size(); i += 3) table.destroy(ids[i].index);
    std::set<std::string> seen;
    table.each([&](Thing& thing) {
        seen.insert(thing.name);
        table.destroy(thing.id().index);
    });
    CHECK(seen.size() == 400);
    CHECK_FALSE(seen.contains("3"));
    CHECK(table.size() == 0);
    table.each([](Thing&) { FAIL("nobody is left"); });
}

TEST_CASE("A visit can be broken off, and goes on where it was") {
    SessionTable<Thing> table;
    CHECK(table.each_from(0, [](Thing&) { return true; }) == 0);
    std::vector<SessionId> ids;
    for (int i = 0; i < 600; ++i) ids.push_back(table.make(ShardIndex{0}, std::to_string(i), nullptr).id());
    for (std::size_t i = 0; i < ids.size(); i += 3) table.destroy(ids[i].index);
    std::vector<std::string> seen;
    std::uint32_t at = 0;
    for (int visits = 0; visits < 50; ++visits) {
        int left = 7;
        at = table.each_from(at, [&](Thing& thing) {
            seen.push_back(thing.name);
            return --left != 0;
        });
        CHECK(seen.size() == 7u * static_cast<unsigned>(visits + 1));
    }
    at = table.each_from(at, [&](Thing& thing) { return seen.push_back(thing.name), true; });
    CHECK(seen.size() == 400);
    CHECK(std::set<std::string>(seen.begin(), seen.end()).size() == 400);
    CHECK(table.each_from(at, [&](Thing& thing) { return seen.push_back(thing.name), true; }) == at);
    CHECK(seen.size() == 400);
}

TEST_CASE("The table destroys what is left in it") {
    auto const token = std::make_shared<int>(0);
    {
        SessionTable<Thing> table;
        for (int i = 0; i < 300; ++i) table.make(ShardIndex{0}, "x", token);
        CHECK(token.use_count() == 301);
        table.destroy(0);
        CHECK(token.use_count() == 300);
    }
    CHECK(token.use_count() == 1);
}

TEST_CASE("A session whose constructor throws is not there, and its place is free") {
    SessionTable<Fussy> table;
    CHECK_THROWS(table.make(ShardIndex{0}, true));
    CHECK(table.size() == 0);
    table.each([](Fussy&) { FAIL("nobody is there"); });
    CHECK(table.make(ShardIndex{0}, false).id().index == 0);
}
