// What each policy must do, over every model that the library brings. The concepts' own rules are beside them, in
// tests/unit/policy/concepts_test.cpp.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hubbub/events/json_lines.hpp>
#include <hubbub/events/rate_limited_events.hpp>
#include <hubbub/hub/hub_policy.hpp>
#if __has_include(<openssl/evp.h>) && __has_include(<nlohmann/json.hpp>)
#define HUBBUB_TESTS_HAVE_JWT
#include <hubbub/policy/jwt/jwt_auth.hpp>
#endif

#include "tests/support/catch.hpp"

using namespace hubbub;

namespace {

/// A model that needs something to be made with.
struct ByLength : ByFunction {
    ByLength()
        : ByFunction{[](SessionInfo const& info, ShardCount count) {
              return ShardIndex{static_cast<std::uint16_t>(info.identity.user.size() % count.value)};
          }} {}
};
struct OriginsOff : OriginCheck {
    OriginsOff() : OriginCheck(off()) {}
};
struct ListedOrigins : OriginCheck {
    ListedOrigins() : OriginCheck{.is_on = true, .absent_allowed = false, .allowed = {"https://a.test"}} {}
};

std::vector<Identity> const people = {{}, {"ada", {}, {}}, {"bob", {"staff"}, {}}, {std::string(200, 'x'), {}, {}}};

std::vector<PeerAddress> addresses() {
    std::vector<PeerAddress> result(3);
    result[0].family = PeerAddress::Family::ipv4;
    result[0].bytes = {192, 0, 2, 1};
    result[1].family = PeerAddress::Family::ipv6;
    result[1].bytes = {0x20, 0x01, 0x0d, 0xb8};
    return result;
}

}  // namespace

TEMPLATE_TEST_CASE("A sharding policy answers below the count, whoever comes", "", RoundRobin, LeastSessions, ByUser, ByAddress,
                   ByLength) {
    http::Request const request{};
    for (std::uint16_t const count : std::initializer_list<std::uint16_t>{1, 2, 3, 7, 64}) {
        TestType policy;
        TestType of_another_shard = policy;
        ShardLoads loads(count);
        for (int round = 0; round < 3; ++round)
            for (Identity const& who : people)
                for (PeerAddress const& address : addresses()) {
                    SessionInfo const info{request, who, address, loads};
                    ShardIndex const chosen = policy(info, {count});
                    REQUIRE(chosen.value < count);
                    REQUIRE(of_another_shard(info, {count}).value < count);
                    loads.enter(chosen);
                }
    }
}

TEMPLATE_TEST_CASE("An overflow policy decides the same each time it is asked the same", "", Disconnect, DropNewest, DropOldest,
                   LatestPerKey) {
    TestType const policy;
    QueueLimits const limits;
    for (std::uint32_t const queued : {0u, 1u, 4096u})
        for (std::uint64_t const key : {0u, 7u}) {
            QueueState const state{queued * 100, queued, limits};
            OverflowingMessage const message{"room", 100, key};
            OverflowAction const decided = policy.on_full(state, message);
            CHECK(decided <= OverflowAction::replace_key);
            CHECK(policy.on_full(state, message) == decided);
            CHECK(TestType().on_full(state, message) == decided);  // on another shard
        }
}

#ifdef HUBBUB_TESTS_HAVE_JWT
struct WithSecret : JwtAuth {
    WithSecret() : JwtAuth({.algorithm = "HS256", .key = std::string(32, 'x')}) {}
};
TEMPLATE_TEST_CASE("An authentication policy answers once", "", AcceptAnyone, WithSecret) {
#else
TEMPLATE_TEST_CASE("An authentication policy answers once", "", AcceptAnyone) {
#endif
    int answers = 0;
    {
        TestType policy;
        policy.authenticate(http::Request{}, PeerAddress{}, Verdict<Authenticated>([&](Authenticated) { ++answers; }));
    }
    CHECK(answers == 1);
}

TEMPLATE_TEST_CASE("An authorisation policy answers once", "", AllowEverything) {
    for (auto const action : {AuthorizationRequest::Action::subscribe, AuthorizationRequest::Action::publish}) {
        int answers = 0;
        {
            TestType policy;
            policy.authorize({action, "room", {}, people[1]}, Verdict<Permission>([&](Permission) { ++answers; }));
        }
        CHECK(answers == 1);
    }
}

TEMPLATE_TEST_CASE("An origin policy, a limits policy and a copy of it agree with themselves", "", OriginCheck, OriginsOff,
                   ListedOrigins) {
    TestType const policy;
    TestType const copy = policy;
    http::Request const without{};
    CHECK(policy.passes(without) == copy.passes(without));
    CHECK(policy.passes(without) == policy.passes(without));
}

TEMPLATE_TEST_CASE("A limits policy has the same answer for the same client, on each shard", "", ConnectionLimits) {
    TestType const policy;
    TestType const copy = policy;
    CHECK(policy.most_in_all() == copy.most_in_all());
    for (PeerAddress const& address : addresses()) CHECK(policy.most_of_address(address) == copy.most_of_address(address));
    for (Identity const& who : people) CHECK(policy.most_of_user(who) == copy.most_of_user(who));
}

TEMPLATE_TEST_CASE("Rates answer alike about the same, also on another shard", "", TokenBuckets, NoRates) {
    TestType const policy;
    TestType const copy = policy;
    for (Identity const& who : people) {
        CHECK(SessionRates(policy.of_session(who)).messages == SessionRates(copy.of_session(who)).messages);
        CHECK(UserRates(policy.of_user(who)).bytes == UserRates(copy.of_user(who)).bytes);
        CHECK(policy.on_excess(who) == copy.on_excess(who));
    }
    for (PeerAddress const& address : addresses())
        CHECK(AddressRates(policy.of_address(address)).connections == AddressRates(copy.of_address(address)).connections);
}

TEMPLATE_TEST_CASE("A heartbeat pings before it gives up", "", UniformHeartbeat) {
    TestType const policy;
    for (Identity const& who : people) {
        HeartbeatTimes const times = policy.times_for(who);
        CHECK(times.ping_after.count() > 0);
        CHECK(times.ping_after < times.silence_limit);
    }
}

TEMPLATE_TEST_CASE("A topic has the same options on each shard", "", UniformTopics) {
    TestType const policy;
    TestType const copy = policy;
    for (auto const* name : {"", "room", "price.a"}) CHECK(policy.options_for(name).on_full == copy.options_for(name).on_full);
}

TEMPLATE_TEST_CASE("A codec's gap notice, where there is one, is a whole message", "", SilentCodec) {
    TestType const policy;
    for (std::uint64_t const missed : {std::uint64_t{1}, ~std::uint64_t{0}})
        if (auto const notice = policy.gap_notice(missed)) CHECK(notice->message().size() > 0);
}

TEMPLATE_TEST_CASE("An event sink takes any event", "", NoEvents, RateLimitedEvents<NoEvents>, JsonLines) {
    OptionsOf<TestType> options{};
    int const nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    if constexpr (std::same_as<TestType, JsonLines>) options.sink.writer = std::make_shared<LineWriter>(nowhere);
    {
        TestType sink = make_event_sink<TestType>(options, {.node = 1, .shard = {2}});
        CHECK_NOTHROW(sink.on_event({}));
        CHECK_NOTHROW(sink.on_event({.name = "session_closed", .session = {1, 2, {3}}, .detail = "us", .number = 1000}));
        CHECK_NOTHROW(sink.on_event({.name = std::string_view("\0\xFF", 2), .detail = std::string(1u << 20, '"')}));
        for (int i = 0; i < 1000; ++i) sink.on_event({.name = "session_opened"});
        tick_event_sink(sink, TimePoint(std::chrono::seconds(1000)));
        TestType copy = sink;
        CHECK_NOTHROW(copy.on_event({.name = "policy_threw"}));
    }
    ::close(nowhere);
}
