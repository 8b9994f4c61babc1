#include <hubbub/core/ids.hpp>

#include <cstdint>
#include <unordered_set>

#include "tests/support/catch.hpp"

using hubbub::SessionId;
using hubbub::ShardIndex;

TEST_CASE("An id that nobody gave is no session") {
    CHECK_FALSE(SessionId{});
    CHECK_FALSE(SessionId{5, 0, ShardIndex{2}});
    CHECK(SessionId{0, 1, ShardIndex{0}});
}

TEST_CASE("Ids are the same only if index, generation and shard are") {
    SessionId const id{1, 2, ShardIndex{3}};
    CHECK(id == SessionId{1, 2, ShardIndex{3}});
    CHECK(id != SessionId{0, 2, ShardIndex{3}});
    CHECK(id != SessionId{1, 1, ShardIndex{3}});
    CHECK(id != SessionId{1, 2, ShardIndex{0}});
}

TEST_CASE("Hashes of the ids of a large hub differ, so that a set of them stays quick") {
    std::unordered_set<std::size_t> hashes;
    std::size_t ids = 0;
    for (std::uint16_t shard = 0; shard < 8; ++shard)
        for (std::uint32_t index = 0; index < 1000; ++index, ++ids)
            hashes.insert(std::hash<SessionId>{}({index, index + 1, ShardIndex{shard}}));
    CHECK(hashes.size() == ids);
}
