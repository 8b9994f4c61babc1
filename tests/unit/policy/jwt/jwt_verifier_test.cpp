#include <hubbub/policy/jwt/jwt_verifier.hpp>

#include <chrono>
#include <memory>
#include <string>

#include "tests/support/catch.hpp"
#include "tests/support/jwt_maker.hpp"
#include "tests/unit/policy/jwt/rfc_vectors.hpp"

using namespace hubbub;
using jwt_maker::Maker;

namespace {

using Problem = JwtProblem;
constexpr std::int64_t now = 1'700'000'000;
constexpr std::string_view fine = R"({"exp":1700000060})";

std::chrono::system_clock::time_point at(std::int64_t seconds) {
    return std::chrono::system_clock::time_point(std::chrono::seconds(seconds));
}
std::string dotted(std::string_view header, std::string_view claims, std::string_view signature) {
    return std::string(header).append(1, '.').append(claims).append(1, '.').append(signature);
}
std::shared_ptr<JwtKeys> keys_of(JwtAlgorithm algorithm) {
    std::string const text = Maker::of(algorithm).pem();
    if (is_hmac(algorithm)) return std::make_shared<JwtKeys>(JwtKeys::Set{JwtKey::secret(text)});
    return std::make_shared<JwtKeys>(text);
}
Problem check(JwtRules rules, JwtAlgorithm algorithm, std::string_view token, std::int64_t time = now) {
    return JwtVerifier(std::move(rules), keys_of(algorithm)).check(token, at(time)).problem;
}
/// Of a token that ES256 has signed as it should.
Problem of_claims(std::string_view claims, JwtRules rules = {}, std::int64_t time = now) {
    rules.algorithm = "ES256";
    return check(rules, JwtAlgorithm::es256, Maker::of(JwtAlgorithm::es256).token(JwtAlgorithm::es256, claims), time);
}
Problem of_header(std::string_view header, JwtRules rules = {}) {
    rules.algorithm = "ES256";
    return check(rules, JwtAlgorithm::es256, Maker::of(JwtAlgorithm::es256).token_of(JwtAlgorithm::es256, header, fine));
}

}  // namespace

TEST_CASE("The tokens of RFC 7515 A.1 to A.3 and RFC 7519 3.1 are accepted until they expire") {
    struct Vector {
        char const* algorithm;
        std::string_view header, signature, jwk;
    };
    for (auto const& [algorithm, header, signature, jwk] :
         {Vector{"HS256", rfc::hs256_header, rfc::hs256_signature, rfc::hs256_jwk},
          Vector{"RS256", rfc::rs256_header, rfc::rs256_signature, rfc::rs256_jwk},
          Vector{"ES256", rfc::es256_header, rfc::es256_signature, rfc::es256_jwk}}) {
        CAPTURE(algorithm);
        JwtVerifier const verifier({.algorithm = algorithm, .issuer = "joe"}, std::make_shared<JwtKeys>(jwk));
        std::string const token = dotted(header, rfc::claims, signature);
        auto const checked = verifier.check(token, at(1'300'819'000));
        REQUIRE(checked);
        CHECK(checked.claims.expires_at == 1'300'819'380);
        CHECK(checked.claims.all["http://example.com/is_root"] == true);
        CHECK(verifier.check(token, at(1'300'819'384)).problem == Problem::none);  // leeway of 5 s
        CHECK(verifier.check(token, at(1'300'819'385)).problem == Problem::expired);
    }
}

TEST_CASE("The unsecured tokens of RFC 7515 A.5 and RFC 7519 6.1 are refused, whatever the case of none") {
    auto const keys = std::make_shared<JwtKeys>(rfc::es256_jwk);
    JwtVerifier const verifier({.algorithm = "ES256"}, keys);
    CHECK(verifier.check(dotted(rfc::none_header, rfc::claims, ""), at(now)).problem == Problem::algorithm);
    for (auto const* name : {"none", "NONE", "nOnE", "None", "", "es256", "ES256 ", "ES256\\u0000", "ES512", "ES256K", "dir"})
        for (std::string const signature : {"", "AAAA", "e30"}) {
            std::string const header = R"({"alg":")" + std::string(name) + R"("})";
            CHECK(verifier.check(dotted(encode_base64url(header), encode_base64url(fine), signature), at(now)).problem ==
                  Problem::algorithm);
        }
    CHECK(of_header(R"({"typ":"JWT"})") == Problem::algorithm);
    CHECK(of_header(R"({"alg":["ES256"]})") == Problem::algorithm);
    CHECK(of_header(R"({"alg":null})") == Problem::algorithm);
    CHECK(JwtAlgorithms("none").unknown() == "none");
    CHECK(JwtAlgorithms("none").empty());
}

TEST_CASE("Each algorithm accepts its own tokens, and each alteration of one is refused") {
    for (std::size_t i = 0; i < jwt_algorithms; ++i) {
        auto const algorithm = static_cast<JwtAlgorithm>(i);
        CAPTURE(name_of(algorithm));
        JwtVerifier const verifier({.algorithm = name_of(algorithm)}, keys_of(algorithm));
        std::string const token = Maker::of(algorithm).token(algorithm, fine);
        CHECK(verifier.check(token, at(now)).problem == Problem::none);
        for (std::size_t place = 0; place < token.size(); place += 3) {
            std::string altered = token;
            altered[place] = altered[place] == 'A' ? 'B' : 'A';
            CHECK_FALSE(verifier.check(altered, at(now)));
            CHECK_FALSE(verifier.check(std::string_view(token).substr(0, place), at(now)));
        }
    }
}

TEST_CASE("A public key is never the secret of an HMAC, also where both kinds are listed") {
    Maker const& rsa_key = Maker::of(JwtAlgorithm::rs256);
    // The classic: sign with the text of the public key, and say HS256.
    for (std::string const& text : {rsa_key.pem(), rsa_key.pem().substr(0, rsa_key.pem().size() - 1)}) {
        std::string const forged = Maker::secret(text).token(JwtAlgorithm::hs256, fine);
        CHECK(check({.algorithm = "RS256"}, JwtAlgorithm::rs256, forged) == Problem::algorithm);
        CHECK(check({.algorithm = {"RS256", "HS256", "HS384", "HS512"}}, JwtAlgorithm::rs256, forged) == Problem::unknown_key);
    }
}

TEST_CASE("A key of RSA serves PS256 only where the program lists it") {
    std::string const token = Maker::of(JwtAlgorithm::ps256).token(JwtAlgorithm::ps256, fine);
    CHECK(check({.algorithm = "RS256"}, JwtAlgorithm::rs256, token) == Problem::algorithm);
    CHECK(check({.algorithm = {"RS256", "PS256"}}, JwtAlgorithm::rs256, token) == Problem::none);
}

TEST_CASE("The header cannot bring a key along") {
    std::string const jwk(rfc::es256_jwk);
    for (std::string const& header :
         {R"({"alg":"ES256","jwk":)" + jwk + "}", std::string(R"({"alg":"ES256","jku":"http://a.test/k"})"),
          std::string(R"({"alg":"ES256","x5c":["AAAA"]})")}) {
        std::string const token = dotted(encode_base64url(header), rfc::claims, rfc::es256_signature);
        CHECK(check({.algorithm = "ES256"}, JwtAlgorithm::es256, token) == Problem::signature);
        CHECK(of_header(header) == Problem::none);  // they are not looked at
    }
}

TEST_CASE("What is critical is refused, because none of it is understood") {
    CHECK(of_header(R"({"alg":"ES256","crit":["exp"],"exp":1})") == Problem::critical);
    CHECK(of_header(R"({"alg":"ES256","crit":[]})") == Problem::critical);
    CHECK(of_header(R"({"alg":"ES256","crit":null})") == Problem::critical);
    CHECK(of_header(R"({"alg":"ES256","b64":false,"crit":["b64"]})") == Problem::critical);
}

TEST_CASE("typ is ignored, or is what the program wants") {
    CHECK(of_header(R"({"alg":"ES256"})") == Problem::none);
    CHECK(of_header(R"({"alg":"ES256","typ":7})") == Problem::none);
    CHECK(of_header(R"({"alg":"ES256","typ":"at+jwt"})", {.type = "at+jwt"}) == Problem::none);
    CHECK(of_header(R"({"alg":"ES256","typ":"Application/AT+JWT"})", {.type = "at+jwt"}) == Problem::none);
    CHECK(of_header(R"({"alg":"ES256","typ":"JWT"})", {.type = "at+jwt"}) == Problem::type);
    CHECK(of_header(R"({"alg":"ES256"})", {.type = "at+jwt"}) == Problem::type);
}

TEST_CASE("A token has three parts in strict base64url, of JSON objects without a member twice") {
    std::string const token = Maker::of(JwtAlgorithm::es256).token(JwtAlgorithm::es256, fine);
    auto const judge = [](std::string_view text) { return check({.algorithm = "ES256"}, JwtAlgorithm::es256, text); };
    for (std::string const& bad : {std::string(), std::string("."), std::string(".."), std::string("..."), token + ".",
                                   "." + token, token + "=", " " + token, token + "\n", token + "." + token,
                                   token.substr(0, token.rfind('.')), std::string("a.b.c"), std::string(100, '.')})
        CHECK(judge(bad) == Problem::malformed);
    CHECK(of_header(R"({"alg":"ES256","alg":"ES256"})") == Problem::malformed);
    CHECK(of_header(R"({"alg":"ES256","x":{"a":1,"a":2}})") == Problem::malformed);
    CHECK(of_header(R"(["ES256"])") == Problem::malformed);
    CHECK(of_header(R"({"alg":"ES256"} )") == Problem::none);
    CHECK(of_header(R"({"alg":"ES256"}x)") == Problem::malformed);
    CHECK(of_header(std::string("{\"alg\":\"ES256\"}\0", 16)) == Problem::malformed);
    CHECK(of_header("\xEF\xBB\xBF{\"alg\":\"ES256\"}") == Problem::malformed);
    CHECK(of_header("{\"alg\":\"ES256\",\"x\":\"\xFF\"}") == Problem::malformed);
    CHECK(of_claims(R"({"exp":1700000060,"exp":1800000000})") == Problem::malformed);
    CHECK(of_claims(R"({"exp":1700000060,"\u0065xp":1800000000})") == Problem::malformed);  // the same name
    CHECK(of_claims("7") == Problem::malformed);
    CHECK(of_claims("") == Problem::malformed);
    CHECK(of_claims("{\"exp\":1700000060,\"sub\":\"\xC0\xAF\"}") == Problem::malformed);  // no UTF-8
    CHECK(of_claims(R"({"exp":1700000060,"sub":"\ud800"})") == Problem::malformed);       // half of a pair
}

TEST_CASE("What is too large or nested too deep is refused before it costs") {
    std::string const deep = R"({"alg":"ES256","x":)" + std::string(1000, '[') + std::string(1000, ']') + "}";
    CHECK(of_header(deep) == Problem::malformed);
    std::string const just = R"({"alg":"ES256","x":)" + std::string(15, '[') + std::string(15, ']') + "}";
    CHECK(of_header(just) == Problem::none);
    CHECK(of_header(R"({"alg":"ES256","x":")" + std::string(2000, 'x') + R"("})") == Problem::malformed);
    CHECK(of_claims(R"({"exp":1700000060,"x":")" + std::string(8000, 'x') + R"("})") == Problem::too_big);
    CHECK(of_claims(R"({"exp":1700000060,"x":")" + std::string(8000, 'x') + R"("})", {.most_bytes = 20'000}) == Problem::none);
    CHECK(check({.algorithm = "ES256"}, JwtAlgorithm::es256, std::string(10'000'000, 'A')) == Problem::too_big);
}

TEST_CASE("A kid is compared and nothing else") {
    auto const named = [](std::string const& id, JwtAlgorithm algorithm) {
        JwtKey key = read_jwt_keys(Maker::of(algorithm).pem()).keys.at(0);
        key.id = id;
        return key;
    };
    Maker const& maker = Maker::of(JwtAlgorithm::es256);
    auto const token = [&](std::string const& id) {
        return maker.token_of(JwtAlgorithm::es256, id.empty() ? R"({"alg":"ES256"})" : R"({"alg":"ES256","kid":)" + id + "}",
                              fine);
    };
    JwtKey other = read_jwt_keys(rfc::es256_jwk).keys.at(0);
    other.id = "old";
    JwtVerifier const verifier({.algorithm = "ES256"},
                               std::make_shared<JwtKeys>(JwtKeys::Set{other, named("new", JwtAlgorithm::es256)}));
    auto const judge = [&](std::string const& id) { return verifier.check(token(id), at(now)).problem; };
    CHECK(judge(R"("new")") == Problem::none);
    CHECK(judge(R"("old")") == Problem::signature);
    for (auto const* id : {R"("")", R"("NEW")", R"("../../../../dev/null")", R"("/etc/passwd")", R"("new\u0000")",
                           R"("new' OR '1'='1")", R"("|id")"})
        CHECK(judge(id) == Problem::unknown_key);
    CHECK(judge("7") == Problem::malformed);
    CHECK(judge("null") == Problem::malformed);
    CHECK(judge("") == Problem::unknown_key);  // which of the two?

    // One that is alone serves tokens without a kid; a PEM, which has none, serves each.
    JwtVerifier const alone({.algorithm = "ES256"}, std::make_shared<JwtKeys>(JwtKeys::Set{named("new", JwtAlgorithm::es256)}));
    CHECK(alone.check(token(""), at(now)).problem == Problem::none);
    CHECK(alone.check(token(R"("x")"), at(now)).problem == Problem::unknown_key);
    CHECK(check({.algorithm = "ES256"}, JwtAlgorithm::es256, token(R"("x")")) == Problem::none);
}

TEST_CASE("Keys that are exchanged hold from the next token on") {
    auto const keys = std::make_shared<JwtKeys>(rfc::es256_jwk);
    JwtVerifier const verifier({.algorithm = "ES256"}, keys);
    std::string const token = Maker::of(JwtAlgorithm::es256).token(JwtAlgorithm::es256, fine);
    CHECK(verifier.check(token, at(now)).problem == Problem::signature);
    REQUIRE(keys->reload(Maker::of(JwtAlgorithm::es256).pem()).empty());
    CHECK(verifier.check(token, at(now)).problem == Problem::none);
}

TEST_CASE("exp, nbf and iat hold with leeway") {
    CHECK(of_claims(R"({"exp":1700000000})", {.leeway = std::chrono::seconds(0)}) == Problem::expired);
    CHECK(of_claims(R"({"exp":1700000001})", {.leeway = std::chrono::seconds(0)}) == Problem::none);
    CHECK(of_claims(R"({"exp":1699999996})") == Problem::none);
    CHECK(of_claims(R"({"exp":1699999995})") == Problem::expired);
    CHECK(of_claims(R"({"exp":1700000060.5})") == Problem::none);
    CHECK(of_claims(R"({"exp":1e18})") == Problem::none);
    CHECK(of_claims(R"({"exp":18446744073709551615})") == Problem::none);
    CHECK(of_claims(R"({"exp":-1})") == Problem::expired);
    CHECK(of_claims(R"({"exp":1e400})") == Problem::malformed);
    for (auto const* bad : {R"({"exp":"1700000060"})", R"({"exp":null})", R"({"exp":[1700000060]})", R"({"exp":true})", "{}"})
        CHECK(of_claims(bad) == Problem::claims);
    CHECK(of_claims("{}", {.expiry_required = false}) == Problem::none);
    CHECK(of_claims(R"({"exp":null})", {.expiry_required = false}) == Problem::claims);

    CHECK(of_claims(R"({"exp":1700000060,"nbf":1700000005})") == Problem::none);
    CHECK(of_claims(R"({"exp":1700000060,"nbf":1700000006})") == Problem::not_yet);
    CHECK(of_claims(R"({"exp":1700000060,"nbf":"0"})") == Problem::claims);
    CHECK(of_claims(R"({"exp":1700000060,"iat":1700000005})") == Problem::none);
    CHECK(of_claims(R"({"exp":1700000060,"iat":1700000006})") == Problem::not_yet);
    CHECK(of_claims(R"({"exp":1700000060,"iat":{}})") == Problem::claims);
}

TEST_CASE("iss and aud are what the program wants") {
    JwtRules const rules{.issuer = "https://id.example", .audience = {"chat", "chat-test"}};
    auto const judge = [&](std::string const& more) { return of_claims(R"({"exp":1700000060)" + more + "}", rules); };
    CHECK(judge(R"(,"iss":"https://id.example","aud":"chat")") == Problem::none);
    CHECK(judge(R"(,"iss":"https://id.example","aud":["x","chat-test"])") == Problem::none);
    CHECK(judge(R"(,"iss":"https://id.example/","aud":"chat")") == Problem::issuer);
    CHECK(judge(R"(,"iss":["https://id.example"],"aud":"chat")") == Problem::issuer);
    CHECK(judge(R"(,"aud":"chat")") == Problem::issuer);
    for (auto const* aud :
         {R"("chat2")", R"("Chat")", R"(["x"])", "[]", "7", "null", R"({"chat":1})", R"(["chat",7])", R"([["chat"]])"})
        CHECK(judge(R"(,"iss":"https://id.example","aud":)" + std::string(aud)) == Problem::audience);
    CHECK(judge(R"(,"iss":"https://id.example")") == Problem::audience);
    // RFC 7519 4.1.3: a token for somebody is not for who says nothing of himself.
    CHECK(of_claims(R"({"exp":1700000060,"aud":"chat"})") == Problem::audience);
}
