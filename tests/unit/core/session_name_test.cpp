#include <hubbub/core/session_name.hpp>

#include "tests/support/catch.hpp"

using namespace hubbub;

TEST_CASE("A session is written as shard, index and generation, behind its node where there are several") {
    CHECK(session_name(0, {.index = 26, .generation = 3, .shard = {0}}) == "0-1a-3");
    CHECK(session_name(255, {.index = 0, .generation = 1, .shard = {12}}) == "ff-c-0-1");
    CHECK(session_name(~std::uint64_t{0}, {.index = ~0u, .generation = ~0u, .shard = {0xFFFF}}) ==
          "ffffffffffffffff-ffff-ffffffff-ffffffff");
}
