#include <hubbub/hub/throttle.hpp>

#include <string>

#include <hubbub/core/network.hpp>

#include "tests/support/catch.hpp"

using namespace hubbub;

namespace {

/// Whether something is kept for a session that talks.
bool keeps(TokenBuckets const& rates, std::string const& user, PeerAddress const& peer) {
    RateTable table;
    Throttle<TokenBuckets> throttle(rates, table);
    Identity who;
    who.user = user;
    bool const is_kept = throttle.talker_of(Talkers::none, 7, who, [&] { return peer; }) != Talkers::none;
    CHECK(throttle.talkers().size() == (is_kept ? 1 : 0));
    return is_kept;
}

}  // namespace

TEST_CASE("Something is kept for who talks only where a rate of his is set") {
    auto const peer = *parse_address("192.0.2.1");
    CHECK_FALSE(keeps(TokenBuckets::off(), "ada", peer));
    CHECK(keeps(TokenBuckets{}, "", peer));
    auto const with = [](auto const& set) {
        TokenBuckets rates = TokenBuckets::off();
        set(rates);
        return rates;
    };
    Rate const some{.per_second = 1, .burst = 1};
    for (auto const& of_session : {&SessionRates::messages, &SessionRates::bytes, &SessionRates::subscriptions})
        CHECK(keeps(with([&](TokenBuckets& rates) { rates.session.*of_session = some; }), "", peer));
    for (auto const& of_user : {&UserRates::messages, &UserRates::bytes}) {
        auto const rates = with([&](TokenBuckets& each) { each.user.*of_user = some; });
        CHECK(keeps(rates, "ada", peer));
        CHECK_FALSE(keeps(rates, "", peer));
    }
    for (auto const& of_address : {&AddressRates::messages, &AddressRates::bytes}) {
        auto const rates = with([&](TokenBuckets& each) { each.address.*of_address = some; });
        CHECK(keeps(rates, "", peer));
        CHECK_FALSE(keeps(rates, "ada", PeerAddress{}));  // a Unix socket
    }
    CHECK_FALSE(keeps(with([&](TokenBuckets& rates) { rates.address.connections = some; }), "ada", peer));  // of handshakes
}
