#include <hubbub/policy/rates.hpp>

#include <stdexcept>
#include <string>

#include "tests/support/catch.hpp"

using namespace hubbub;

TEST_CASE("A rate that has a burst and nothing a second is refused with its name") {
    CHECK_NOTHROW(TokenBuckets{}.check());
    TokenBuckets wrong;
    wrong.user.bytes = {.per_second = 0, .burst = 10};
    try {
        wrong.check();
        FAIL("nothing was thrown");
    } catch (std::invalid_argument const& error) {
        CHECK(std::string(error.what()) == "TokenBuckets::user.bytes has a burst and no per_second");
    }
}

TEST_CASE("Without rates nothing is limited, and nobody is asked") {
    NoRates const none;
    CHECK(never_limits<NoRates>);
    CHECK_FALSE(never_limits<TokenBuckets>);
    CHECK_FALSE(none.of_session({}).messages.is_limited());
    CHECK_FALSE(none.of_session({}).bytes.is_limited());
    CHECK_FALSE(none.of_session({}).subscriptions.is_limited());
    CHECK_FALSE(none.of_user({}).messages.is_limited());
    CHECK_FALSE(none.of_address({}).connections.is_limited());
    CHECK_FALSE(none.of_address({}).failures.is_limited());
}
