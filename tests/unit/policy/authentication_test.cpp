#include <hubbub/policy/authentication.hpp>

#include <optional>

#include <hubbub/hub/hub_policy.hpp>

#include "tests/support/catch.hpp"

using namespace hubbub;

namespace {

struct Keeper {
    std::optional<Authenticated> answer;
    Verdict<Authenticated> verdict() {
        return Verdict<Authenticated>([this](Authenticated who) { answer = std::move(who); });
    }
};

struct Silent : AcceptAnyone {
    static constexpr bool always = false;
};

struct WithoutVerdict {
    bool authenticate(http::Request const&, PeerAddress const&) { return true; }
};

}  // namespace

TEST_CASE("AcceptAnyone lets a client in at once, as nobody in particular") {
    Keeper keeper;
    AcceptAnyone().authenticate(http::Request{}, PeerAddress{}, keeper.verdict());
    REQUIRE(keeper.answer);
    CHECK(keeper.answer->status == http::Status::switching_protocols);
    CHECK(keeper.answer->identity.user.empty());
    CHECK(keeper.answer->identity.labels.empty());
    CHECK_FALSE(keeper.answer->identity.expires_at);
}

TEST_CASE("A policy that forgets to answer refuses, and never with a 101") {
    Keeper keeper;
    { auto const forgotten = keeper.verdict(); }
    REQUIRE(keeper.answer);
    CHECK(keeper.answer->status == http::Status::internal_server_error);
    CHECK_FALSE(keeper.answer->reason.empty());
}

TEST_CASE("A refusal has a status and a reason, and no identity") {
    auto const refused = Authenticated::refused(http::Status::unauthorized, "who are you");
    CHECK(refused.status == http::Status::unauthorized);
    CHECK(refused.reason == "who are you");
    CHECK(refused.identity.user.empty());
}

TEST_CASE("Only a policy that says so need not be asked") {
    CHECK(always_agrees<AcceptAnyone>);
    CHECK(always_agrees<AllowEverything>);
    CHECK_FALSE(always_agrees<Silent>);
    CHECK_FALSE(Authentication<WithoutVerdict>);
}
