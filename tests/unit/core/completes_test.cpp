#include <hubbub/core/completes.hpp>

#include <stdexcept>

#include "tests/support/catch.hpp"

TEST_CASE("What a callback throws ends there, whatever it is") {
    int ran = 0;
    CHECK(hubbub::completes([&] { ++ran; }));
    CHECK_FALSE(hubbub::completes([&] {
        ++ran;
        throw std::runtime_error("no");
    }));
    CHECK_FALSE(hubbub::completes([&] {
        ++ran;
        throw 1;
    }));
    CHECK(ran == 3);
}
