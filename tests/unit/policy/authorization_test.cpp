#include <hubbub/policy/authorization.hpp>

#include <optional>

#include "tests/support/catch.hpp"

using namespace hubbub;

namespace {

std::optional<bool> answer_of(auto& policy, AuthorizationRequest const& request) {
    std::optional<bool> answer;
    policy.authorize(request, Verdict<Permission>([&](Permission permission) { answer = permission.allowed; }));
    return answer;
}

struct ReadersOnly {
    void authorize(AuthorizationRequest const& request, Verdict<Permission> verdict) {
        if (request.topic == "slow") return;  // forgets to answer
        verdict.answer({request.action == AuthorizationRequest::Action::subscribe || request.identity.user == "ada"});
    }
};
static_assert(Authorization<ReadersOnly>);

}  // namespace

TEST_CASE("AllowEverything says yes to both actions, at once") {
    AllowEverything policy;
    using Action = AuthorizationRequest::Action;
    CHECK(answer_of(policy, {Action::subscribe, "room", {}, {}}) == true);
    CHECK(answer_of(policy, {Action::publish, "room", {}, {}}) == true);
}

TEST_CASE("A rule sees the action, the topic and who it is; no answer is a no") {
    ReadersOnly policy;
    using Action = AuthorizationRequest::Action;
    Identity const ada{.user = "ada", .labels = {}, .expires_at = {}};
    CHECK(answer_of(policy, {Action::subscribe, "room", {}, {}}) == true);
    CHECK(answer_of(policy, {Action::publish, "room", {}, {}}) == false);
    CHECK(answer_of(policy, {Action::publish, "room", {}, ada}) == true);
    CHECK(answer_of(policy, {Action::publish, "slow", {}, ada}) == false);
}
