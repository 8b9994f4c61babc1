// The code of docs/authentication.md; see snippets_test.cpp.
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include <hubbub/policy/jwt/jwt_auth.hpp>
#include <hubbub/testing/simulation.hpp>

#include "tests/support/catch.hpp"

using namespace std::chrono_literals;

namespace jwt_snippets {

// [first_message]
struct FirstMessage : hubbub::NoopHandler {
    hubbub::JwtAuth auth;

    explicit FirstMessage(hubbub::JwtAuth::Options const& options) : auth(options) {}

    void on_open(auto& session) {
        session.after(5s, [](auto& same) {
            if (same.identity().user.empty()) same.close(hubbub::CloseCode::identity_expired, "say who you are");
        });
    }
    void on_message(auto& session, hubbub::MessageView message) {
        if (session.identity().user.empty()) {
            if (session.refresh(auth.judge(message.view())) != hubbub::RefreshResult::refreshed)
                session.close(hubbub::CloseCode::identity_expired, "the token is not accepted");
            return;
        }
        session.publish("lobby", message);
    }
};
// [/first_message]

std::string const public_key =
    R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";

void fetch_now_and_then(auto&&) {}

// [reload]
struct KeyPolicy : hubbub::DefaultPolicy {
    using Auth = hubbub::JwtAuth;
};

hubbub::HubOptions<KeyPolicy> with_keys(std::string const& jwks) {
    auto const keys = std::make_shared<hubbub::JwtKeys>(jwks);
    fetch_now_and_then([keys](std::string const& newer) {  // on a thread of yours
        if (auto const problem = keys->reload(newer); !problem.empty()) std::fprintf(stderr, "keys: %s\n", problem.c_str());
    });
    hubbub::HubOptions<KeyPolicy> options;
    options.auth.algorithm = {"ES256", "EdDSA"};
    options.auth.keys = keys;
    return options;
}
// [/reload]

void sign_out(auto& hub, hubbub::SessionId session) {
    // [revoke]
    hub.revoke(hubbub::Target::user("ada"), "signed out everywhere");
    hub.revoke(hubbub::Target::label("trial"), "the trial is over");
    hub.revoke(session);
    // [/revoke]
}

}  // namespace jwt_snippets

TEST_CASE("The options of the page are right, and who says nothing of himself is closed") {
    CHECK_NOTHROW(jwt_snippets::with_keys(jwt_snippets::public_key).check());
    hubbub::JwtAuth::Options options;
    options.algorithm = "ES256";
    options.key = jwt_snippets::public_key;
    hubbub::testing::Simulation sim{1};
    auto hub = sim.hub(jwt_snippets::FirstMessage(options));
    auto silent = sim.connect(hub), wrong = sim.connect(hub);
    wrong.send_text("no token");
    sim.run_for(1s);
    CHECK(sim.ended(wrong).code == hubbub::CloseCode::identity_expired);
    CHECK_FALSE(silent.ended());
    sim.run_for(6s);
    CHECK(sim.ended(silent).reason == "say who you are");
    jwt_snippets::sign_out(hub, {});
    sim.run_for(1s);
}
