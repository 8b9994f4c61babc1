#include <hubbub/policy/jwt/jwt_auth.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/jwt_maker.hpp"
#include "tests/unit/http/parse.hpp"
#include "tests/unit/hub/memory_world.hpp"

using namespace hubbub;
using jwt_maker::Maker;

namespace {

constexpr std::int64_t wall_now = 1'700'000'000;

std::string signed_claims(std::string const& claims) {
    return Maker::of(JwtAlgorithm::es256).token(JwtAlgorithm::es256, claims);
}
std::string token_of(std::string const& user, std::string const& more = {}) {
    return signed_claims(R"({"sub":")" + user + R"(","exp":1700000060)" + more + "}");
}
JwtAuth::Options jwt_options() {
    JwtAuth::Options options;
    options.algorithm = "ES256";
    options.key = Maker::of(JwtAlgorithm::es256).pem();
    options.clock = [] { return std::chrono::system_clock::time_point(std::chrono::seconds(wall_now)); };
    return options;
}
std::string get(std::string const& target, std::string const& headers = {}) {
    return "GET " + target +
           " HTTP/1.1\r\nHost: example.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
           headers + "\r\n";
}
std::string bearer(std::string const& token) { return get("/", "Authorization: Bearer " + token + "\r\n"); }

Authenticated ask(JwtAuth::Options const& options, std::string const& text) {
    std::optional<Authenticated> answer;
    JwtAuth auth(options);
    auth.authenticate(parse(text), {}, Verdict<Authenticated>([&](Authenticated who) { answer = std::move(who); }));
    REQUIRE(answer);
    return *answer;
}
std::string user_of(JwtAuth::Options const& options, std::string const& text) {
    auto const answer = ask(options, text);
    return answer.status == http::Status::switching_protocols
               ? answer.identity.user
               : std::to_string(static_cast<int>(answer.status)) + " " + answer.challenge;
}
constexpr auto needs_token = "401 Bearer", bad_token = R"(401 Bearer error="invalid_token")";

std::string problem_with(std::function<void(JwtAuth::Options&)> const& change) {
    auto options = jwt_options();
    change(options);
    try {
        options.check();
    } catch (std::invalid_argument const& problem) {
        return problem.what();
    }
    return {};
}

struct JwtPolicy : DefaultPolicy {
    using Auth = JwtAuth;
};
using JwtHandler = memory_world::Told<JwtPolicy>;
using JwtWorld = memory_world::World<JwtHandler, JwtPolicy>;

}  // namespace

TEST_CASE("A token is found in the header, the subprotocols, a cookie and, if that is wanted, the query") {
    auto options = jwt_options();
    std::string const token = token_of("ada");
    CHECK(user_of(options, bearer(token)) == "ada");
    CHECK(user_of(options, get("/", "authorization: bearer   " + token + "\r\n")) == "ada");
    CHECK(user_of(options, get("/", "Sec-WebSocket-Protocol: chat, bearer." + token + "\r\n")) == "ada");
    CHECK(user_of(options, get("/", "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: bearer." + token + "\r\n")) ==
          "ada");
    CHECK(user_of(options, get("/", "Cookie: session=" + token + "\r\n")) == needs_token);
    CHECK(user_of(options, get("/?token=" + token)) == needs_token);
    options.source.cookie = "session";
    options.source.query = "token";
    CHECK(user_of(options, get("/", "Cookie: a=b; session=" + token + "; session2=x\r\n")) == "ada");
    CHECK(user_of(options, get("/?a=b&token=" + token + "&c")) == "ada");
    options.source.authorization = options.source.protocol = false;
    CHECK(user_of(options, bearer(token)) == needs_token);
    CHECK(user_of(options, get("/", "Sec-WebSocket-Protocol: chat, bearer." + token + "\r\n")) == needs_token);
}

TEST_CASE("Other schemes, cookies and parameters are no token") {
    auto options = jwt_options();
    options.source.cookie = "session";
    options.source.query = "token";
    for (auto const& text : {get("/"), get("/", "Authorization: Basic YTpi\r\n"), get("/", "Authorization: BearerX abc\r\n"),
                             get("/", "Cookie: Session=x; sessions=x; session\r\n"), get("/?tokens=x&Token=x&token&=x"),
                             get("/token=x"), get("/", "Sec-WebSocket-Protocol: chat, bearer\r\n")})
        CHECK(user_of(options, text) == needs_token);
}

TEST_CASE("The first source that has a token decides, and two tokens in one are none") {
    auto options = jwt_options();
    options.source.cookie = "session";
    options.source.query = "token";
    std::string const ada = token_of("ada"), bob = token_of("bob");
    CHECK(user_of(options, get("/?token=" + bob, "Authorization: Bearer " + ada + "\r\nCookie: session=" + bob + "\r\n")) ==
          "ada");
    CHECK(user_of(options, get("/", "Authorization: Bearer x\r\nCookie: session=" + bob + "\r\n")) == bad_token);
    CHECK(user_of(options, get("/", "Authorization: Bearer\r\n")) == bad_token);
    CHECK(user_of(options, get("/", "Cookie: session=" + ada + "; session=" + bob + "\r\n")) == bad_token);
    CHECK(user_of(options, get("/", "Cookie: session=" + ada + "; session=" + ada + "\r\n")) == "ada");
    CHECK(user_of(options, get("/?token=" + ada + "&token=" + bob)) == bad_token);
    CHECK(user_of(options, get("/", "Sec-WebSocket-Protocol: bearer." + ada + ", bearer." + bob + "\r\n")) == bad_token);
}

TEST_CASE("Claims become an identity: user, labels, and how long it holds") {
    auto options = jwt_options();
    auto who = JwtAuth(options).judge(token_of("ada", R"(,"roles":["staff"])"));
    CHECK(who.identity.user == "ada");
    CHECK(who.identity.labels.empty());
    CHECK(who.expires_in == std::chrono::seconds(65));  // with the leeway
    CHECK_FALSE(who.identity.expires_at);
    TimePoint const loop_now{std::chrono::hours(7)};
    CHECK(who.identity_at(loop_now).expires_at == loop_now + std::chrono::seconds(65));

    options.claims.labels = "roles";
    auto const labels = [&](std::string const& more) {
        return JwtAuth(options).judge(token_of("ada", "," + more)).identity.labels;
    };
    using List = std::vector<std::string>;
    CHECK(labels(R"("roles":["staff","admin","staff",""])") == List{"staff", "admin"});
    CHECK(labels(R"("roles":" read  write read ")") == List{"read", "write"});
    CHECK(labels(R"("x":1)").empty());
    options.claims.labels = "/realm_access/roles";
    CHECK(labels(R"("realm_access":{"roles":["staff"]})") == List{"staff"});
    CHECK(labels(R"("realm_access":["staff"])").empty());
    options.claims.labels = "https://example.com/roles";
    CHECK(labels(R"("https://example.com/roles":["staff"])") == List{"staff"});

    options.claims.user = "email";
    CHECK(JwtAuth(options).judge(token_of("ada", R"(,"email":"ada@example.com")")).identity.user == "ada@example.com");
    options.claims.user = "";
    CHECK(JwtAuth(options).judge(token_of("ada")).identity.user.empty());
    CHECK(JwtAuth(options).judge(signed_claims(R"({"exp":1e18})")).expires_in == std::chrono::seconds(3'155'760'000));
}

TEST_CASE("A token that makes no identity is none") {
    auto options = jwt_options();
    options.claims.labels = "roles";
    options.claims.most_labels = 3;
    std::vector<JwtProblem> problems;
    options.on_refused = [&](JwtProblem problem) { problems.push_back(problem); };
    JwtAuth const auth(options);
    std::string const long_name(256, 'x');
    for (auto const& claims :
         {std::string(R"({"exp":1700000060})"), std::string(R"({"exp":1700000060,"sub":""})"),
          std::string(R"({"exp":1700000060,"sub":7})"), R"({"exp":1700000060,"sub":")" + long_name + R"("})",
          std::string(R"({"exp":1700000060,"sub":"a","roles":7})"), std::string(R"({"exp":1700000060,"sub":"a","roles":[7]})"),
          R"({"exp":1700000060,"sub":"a","roles":[")" + long_name + R"("]})",
          std::string(R"({"exp":1700000060,"sub":"a","roles":["a","b","c","d"]})")})
        CHECK(auth.judge(signed_claims(claims)).challenge == R"(Bearer error="invalid_token")");
    CHECK(problems == std::vector(8, JwtProblem::claims));
}

TEST_CASE("All bad tokens get one answer, and the operator the reason") {
    auto options = jwt_options();
    std::vector<JwtProblem> problems;
    options.on_refused = [&](JwtProblem problem) { problems.push_back(problem); };
    options.accept = [](nlohmann::json const& claims, Identity&) { return claims["sub"] != "eve"; };
    std::string const good = token_of("ada");
    std::vector<std::string> const bad = {"x",
                                          good + "A",
                                          signed_claims(R"({"sub":"ada","exp":1})"),
                                          token_of("ada", R"(,"aud":"x")"),
                                          std::string(9000, 'x'),
                                          Maker::of(JwtAlgorithm::eddsa).token(JwtAlgorithm::eddsa, "{}"),
                                          token_of("eve")};
    auto const first = ask(options, bearer(bad[0]));
    CHECK(first.reason.size() < 40);
    for (auto const& each : bad) {
        if (each.size() > 8000) continue;  // a request of that size is refused before
        auto const answer = ask(options, bearer(each));
        CHECK(answer.status == first.status);
        CHECK(answer.reason == first.reason);
        CHECK(answer.challenge == first.challenge);
    }
    CHECK(ask(options, get("/")).status == http::Status::unauthorized);
    CHECK(problems == std::vector{JwtProblem::malformed, JwtProblem::malformed, JwtProblem::signature, JwtProblem::expired,
                                  JwtProblem::audience, JwtProblem::algorithm, JwtProblem::refused, JwtProblem::none});
}

TEST_CASE("A label that is required and lacks is a 403, and the program's own check may give it") {
    auto options = jwt_options();
    options.claims.labels = "scope";
    options.required_labels = {"chat"};
    CHECK(user_of(options, bearer(token_of("ada", R"(,"scope":"read chat")"))) == "ada");
    CHECK(user_of(options, bearer(token_of("ada", R"(,"scope":"read chats")"))) == R"(403 Bearer error="insufficient_scope")");
    options.accept = [](nlohmann::json const& claims, Identity& identity) {
        if (claims.contains("admin")) identity.labels.push_back("chat");
        return true;
    };
    CHECK(user_of(options, bearer(token_of("ada", R"(,"admin":1)"))) == "ada");
}

TEST_CASE("What is wrong with the options is said with the name of the member") {
    using Options = JwtAuth::Options;
    auto const says = [](std::string const& part, std::function<void(Options&)> const& change) {
        std::string const problem = problem_with(change);
        CAPTURE(problem);
        CHECK(problem.starts_with("JwtAuth::Options::" + part));
    };
    CHECK(problem_with([](Options&) {}).empty());
    says("algorithm is not set", [](Options& options) { options.algorithm = {}; });
    says("algorithm: \"none\" is none of", [](Options& options) { options.algorithm = "none"; });
    says("algorithm: \"RS512\" is none of", [](Options& options) { options.algorithm = {"ES256", "RS512"}; });
    says("key is not set", [](Options& options) { options.key.clear(); });
    says("key: the text is neither", [](Options& options) { options.key = "a secret"; });
    says("key: there is none for RS256; what is there is P-256", [](Options& options) { options.algorithm = "RS256"; });
    says("key: there is none for EdDSA", [](Options& options) { options.algorithm = {"ES256", "EdDSA"}; });
    says("key is PEM, and the algorithm wants a secret", [](Options& options) { options.algorithm = "HS256"; });
    says("key: there is none for HS256; what is there is P-256",
         [](Options& options) { options.algorithm = {"ES256", "HS256"}; });
    says("key: HS512 needs a secret of at least 64 bytes", [](Options& options) {
        options.algorithm = {"HS256", "HS512"};
        options.key = std::string(63, 'x');
    });
    says("key and keys are both set",
         [](Options& options) { options.keys = std::make_shared<JwtKeys>(Maker::of(JwtAlgorithm::es256).pem()); });
    says("leeway", [](Options& options) { options.leeway = std::chrono::seconds(-1); });
    says("leeway", [](Options& options) { options.leeway = std::chrono::hours(2); });
    says("most_bytes", [](Options& options) { options.most_bytes = 10; });
    says("source is empty", [](Options& options) { options.source = {.authorization = false, .protocol = false}; });
    says("source.cookie", [](Options& options) { options.source.cookie = "a b"; });
    says("source.query", [](Options& options) { options.source.query = "a=b"; });
    says("required_labels", [](Options& options) { options.required_labels = {"x"}; });
    HubOptions<JwtPolicy> options;
    CHECK_THROWS_WITH(options.check(), "JwtAuth::Options::algorithm is not set; say which you accept, such as \"ES256\"");
}

TEST_CASE("A secret, and a secret as JWK, serve HMACs") {
    Maker const& maker = Maker::of(JwtAlgorithm::hs256);
    for (auto const& key : {maker.pem(), R"({"kty":"oct","k":")" + encode_base64url(maker.pem()) + R"("})"}) {
        auto options = jwt_options();
        options.algorithm = {"HS256", "HS384", "HS512"};
        options.key = key;
        for (auto const algorithm : {JwtAlgorithm::hs256, JwtAlgorithm::hs384, JwtAlgorithm::hs512})
            CHECK(JwtAuth(options).judge(maker.token(algorithm, R"({"sub":"ada","exp":1700000060})")).identity.user == "ada");
    }
}

TEST_CASE("A hub refuses with WWW-Authenticate and a short body, and lets in who has a token") {
    HubOptions<JwtPolicy> options;
    options.auth = jwt_options();
    options.auth.source.query = "token";
    options.protocols = {"chat"};
    JwtHandler handler;
    std::vector<std::string> seen;
    handler.hooks->open = [&](auto& session) {
        seen.push_back(session.identity().user);
        seen.emplace_back(session.request()->target());
        seen.emplace_back(session.protocol());
    };
    JwtWorld world(handler, 1, options);
    auto refused = world.connect(get("/"));
    CHECK(refused->received ==
          "HTTP/1.1 401 Unauthorized\r\nContent-Type: text/plain; charset=utf-8\r\nWWW-Authenticate: Bearer\r\n"
          "Content-Length: 18\r\nConnection: close\r\n\r\na token is needed\n");
    auto bad = world.connect(bearer("x"));
    CHECK(bad->received.find("\r\nWWW-Authenticate: Bearer error=\"invalid_token\"\r\n") != std::string::npos);
    CHECK(bad->received.ends_with("\r\n\r\nthe token is not accepted\n"));

    std::string const token = token_of("ada");
    auto wire = world.connect(get("/room?token=" + token + "&x=1", "Sec-WebSocket-Protocol: chat\r\n"));
    CHECK(seen == std::vector<std::string>{"ada", "/room?token=" + std::string(token.size(), '*') + "&x=1", "chat"});
    CHECK(wire->received.starts_with("HTTP/1.1 101"));
    CHECK(wire->received.find(token) == std::string::npos);

    auto page = world.connect(get("/", "Sec-WebSocket-Protocol: chat, bearer." + token + "\r\n"));
    CHECK(page->received.starts_with("HTTP/1.1 101"));
    CHECK(page->received.find("Sec-WebSocket-Protocol: chat\r\n") != std::string::npos);
    CHECK(page->received.find("bearer.") == std::string::npos);
}

TEST_CASE("A session ends when its token does, on the loop's clock, and a new token in a message refreshes it") {
    HubOptions<JwtPolicy> options;
    options.auth = jwt_options();
    options.heartbeat = {std::chrono::hours(1), std::chrono::hours(2)};
    JwtHandler handler;
    std::vector<RefreshResult> results;
    handler.hooks->message = [&, auth = JwtAuth(options.auth)](auto& session, MessageView message) {
        results.push_back(session.refresh(auth.judge(message.view())));
    };
    JwtWorld world(handler, 1, options);
    auto wire = world.connect(bearer(token_of("ada"))), other = world.connect(bearer(token_of("bob")));
    world.pass(std::chrono::seconds(37));
    CHECK(handler.hooks->log == memory_world::Messages{"expiring", "expiring"});
    world.say(*wire, "x");
    world.say(*wire, token_of("bob"));
    world.say(*wire, token_of("ada"));
    CHECK(results == std::vector{RefreshResult::refused, RefreshResult::another_user, RefreshResult::refreshed});
    world.pass(std::chrono::seconds(34));
    CHECK(other->received.find("\x11\x31") != std::string::npos);  // 4401
    CHECK(wire->received.find("\x11\x31") == std::string::npos);
}

TEST_CASE("Each shard has an instance, and keys that are exchanged hold on each") {
    HubOptions<JwtPolicy> options;
    options.auth = jwt_options();
    options.auth.key.clear();
    options.auth.keys = std::make_shared<JwtKeys>(Maker::of(JwtAlgorithm::eddsa).pem());
    auto const keys = options.auth.keys;
    JwtWorld world(JwtHandler{}, 2, options);
    CHECK(world.connect(bearer(token_of("ada")))->received.starts_with("HTTP/1.1 401"));
    REQUIRE(keys->reload(Maker::of(JwtAlgorithm::es256).pem()).empty());
    CHECK(world.connect(bearer(token_of("ada")))->received.starts_with("HTTP/1.1 101"));
}
