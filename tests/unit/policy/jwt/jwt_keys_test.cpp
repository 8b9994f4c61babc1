#include <hubbub/policy/jwt/jwt_keys.hpp>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>

#include "tests/support/catch.hpp"
#include "tests/support/jwt_maker.hpp"
#include "tests/unit/policy/jwt/rfc_vectors.hpp"

using namespace hubbub;
using jwt_maker::Maker;

namespace {

std::string problem_of(std::string_view text) { return read_jwt_keys(text).problem; }
bool says(std::string_view text, std::string_view part) {
    std::string const problem = problem_of(text);
    CAPTURE(problem);
    return problem.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("The set of RFC 7517 A.1 has one key that is for signatures, with its kid and its alg") {
    auto const read = read_jwt_keys(rfc::jwks);
    CHECK(read.problem.empty());
    REQUIRE(read.keys.size() == 1);
    CHECK(read.keys[0].type() == JwtKeyType::rsa);
    CHECK(read.keys[0].id == "2011-04-29");
    CHECK(read.keys[0].only == JwtAlgorithm::rs256);
    CHECK(read.keys[0].bits() == 2048);
    CHECK(read.keys[0].serves(JwtAlgorithm::rs256));
    CHECK_FALSE(read.keys[0].serves(JwtAlgorithm::ps256));  // its alg is another
}

TEST_CASE("RFC 8037 A.4 is verified") {
    auto const read = read_jwt_keys(rfc::ed25519_jwk);
    CHECK(read.problem.empty());
    REQUIRE(read.keys.size() == 1);
    auto signature = *decode_base64url(rfc::ed25519_signature);
    CHECK(read.keys[0].verifies(JwtAlgorithm::eddsa, rfc::ed25519_text, signature));
    signature[5] = static_cast<char>(signature[5] ^ 1);
    CHECK_FALSE(read.keys[0].verifies(JwtAlgorithm::eddsa, rfc::ed25519_text, signature));
}

TEST_CASE("A key serves the algorithms of its kind, and no other") {
    for (std::size_t i = 0; i < jwt_algorithms; ++i) {
        auto const own = static_cast<JwtAlgorithm>(i);
        Maker const& maker = Maker::of(own);
        JwtKey const key = is_hmac(own) ? JwtKey::secret(maker.pem()) : read_jwt_keys(maker.pem()).keys.at(0);
        for (std::size_t j = 0; j < jwt_algorithms; ++j) {
            auto const other = static_cast<JwtAlgorithm>(j);
            CAPTURE(i, j);
            CHECK(key.serves(other) == (&Maker::of(other) == &maker));
            CHECK(key.verifies(other, "text", maker.sign(own, "text")) == (own == other));
        }
    }
}

TEST_CASE("Signatures of every wrong length, and ones of zeros, are refused") {
    for (std::size_t i = 0; i < jwt_algorithms; ++i) {
        auto const algorithm = static_cast<JwtAlgorithm>(i);
        CAPTURE(i);
        Maker const& maker = Maker::of(algorithm);
        JwtKey const key = is_hmac(algorithm) ? JwtKey::secret(maker.pem()) : read_jwt_keys(maker.pem()).keys.at(0);
        std::string const right = maker.sign(algorithm, "text");
        REQUIRE(key.verifies(algorithm, "text", right));
        for (std::size_t size = 0; size < right.size(); ++size)
            CHECK_FALSE(key.verifies(algorithm, "text", right.substr(0, size)));
        CHECK_FALSE(key.verifies(algorithm, "text", right + '\0'));
        CHECK_FALSE(key.verifies(algorithm, "text", '\0' + right));
        CHECK_FALSE(key.verifies(algorithm, "text", std::string(right.size(), '\0')));  // r = s = 0 of ECDSA is one of them
        CHECK_FALSE(key.verifies(algorithm, "text", std::string(right.size(), '\xFF')));
        CHECK_FALSE(key.verifies(algorithm, "texT", right));
    }
    CHECK(ERR_peek_error() == 0);  // the host's queue of errors is as it was
}

TEST_CASE("A PSS salt of another length than the hash's is refused") {
    // What the same key signs as RS256 is no PS256, and the other way round.
    Maker const& maker = Maker::of(JwtAlgorithm::ps256);
    JwtKey const key = read_jwt_keys(maker.pem()).keys.at(0);
    CHECK_FALSE(key.verifies(JwtAlgorithm::ps256, "text", maker.sign(JwtAlgorithm::rs256, "text")));
    CHECK_FALSE(key.verifies(JwtAlgorithm::rs256, "text", maker.sign(JwtAlgorithm::ps256, "text")));
}

TEST_CASE("Several keys in PEM may follow each other") {
    auto const read = read_jwt_keys("of the new server:\n" + Maker::of(JwtAlgorithm::es256).pem() + "and the old one\n" +
                                    Maker::of(JwtAlgorithm::eddsa).pem());
    CHECK(read.problem.empty());
    REQUIRE(read.keys.size() == 2);
    CHECK(read.keys[0].type() == JwtKeyType::p256);
    CHECK(read.keys[1].type() == JwtKeyType::ed25519);
}

TEST_CASE("What is wrong with a text of keys is said in a sentence") {
    CHECK(says("", "is empty"));
    CHECK(says(" \n", "is empty"));
    CHECK(says("secret", "neither PEM nor a JWK nor a JWKS"));
    CHECK(says("{", "no JSON object"));
    CHECK(says(R"({"kty":"oct","kty":"oct"})", "no JSON object"));
    CHECK(says("{}", "has no kty"));
    CHECK(says(R"({"kty":"XYZ"})", "kty that is not supported"));
    CHECK(says(R"({"keys":7})", "no array"));
    CHECK(says(R"({"keys":[]})", "no key that can be used"));
    CHECK(says(R"({"keys":[{"kty":"XYZ"}]})", "no key that can be used"));
    CHECK(says(R"({"keys":[7]})", "key number 1 is no object"));
    CHECK(says(R"({"kty":"oct","k":"c2hvcnQ"})", "32 to 4096 bytes"));
    CHECK(says(R"({"kty":"oct","k":"=="})", "32 to 4096 bytes"));
    CHECK(says(R"({"kty":"RSA","n":"AQAB","e":"AQAB"})", "17 bits"));
    CHECK(says(R"({"kty":"EC","crv":"P-521","x":"","y":""})", "another curve"));
    CHECK(says(R"({"kty":"OKP","crv":"X25519","x":""})", "another curve"));
    CHECK(says(R"({"kty":"OKP","crv":"Ed25519","x":"AAAA"})", "no right x"));
    CHECK(
        says(R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"secret"})", "private key"));
    CHECK(says("-----BEGIN PUBLIC KEY-----\n", "no END line"));
    CHECK(says("-----BEGIN ", "no whole first line"));
    CHECK(says("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "key number 1 is none that OpenSSL can read"));
    CHECK(says(Maker::of(JwtAlgorithm::es256).private_pem(), "private key"));
    CHECK(says(Maker::rsa(1024).pem(), "1024 bits"));
    CHECK(says(Maker::ec("P-521").pem(), "not supported"));
    CHECK(says(std::string((1 << 20) + 1, ' '), "larger than 1 MiB"));
    std::string many = R"({"keys":[)";
    for (int i = 0; i < 65; ++i) many += std::string(i ? "," : "") + R"({"kty":"XYZ"})";
    CHECK(says(many + "]}", "more than 64"));
    CHECK(ERR_peek_error() == 0);
}

TEST_CASE("A point that is not on its curve is no key") {
    std::string jwk(rfc::es256_jwk);
    jwk.replace(jwk.find("x_FE"), 4, "x_FF");
    CHECK(says(jwk, "none that OpenSSL can read"));
    jwk = rfc::es256_jwk;
    jwk.replace(jwk.find("P-256"), 5, "P-384");
    CHECK(says(jwk, "no right x and y"));
}

TEST_CASE("What a JWK says that it is for, holds") {
    auto const with = [](std::string_view more) {
        std::string jwk(rfc::es256_jwk);
        return jwk.insert(1, more);
    };
    CHECK(problem_of(with(R"("use":"sig",)")).empty());
    CHECK(says(with(R"("use":"enc",)"), "not for signatures"));
    CHECK(says(with(R"("use":7,)"), "not for signatures"));
    CHECK(problem_of(with(R"("key_ops":["verify","sign"],)")).empty());
    CHECK(says(with(R"("key_ops":["sign"],)"), "not for signatures"));
    CHECK(says(with(R"("key_ops":"verify",)"), "not for signatures"));
    CHECK(problem_of(with(R"("alg":"ES256",)")).empty());
    CHECK(says(with(R"("alg":"ES384",)"), "does not fit"));
    CHECK(says(with(R"("alg":"none",)"), "not supported"));
    CHECK(says(with(R"("alg":"HS256",)"), "does not fit"));
}

TEST_CASE("A set that is broken leaves the old keys, and the constructor throws a sentence") {
    JwtKeys keys(rfc::es256_jwk);
    CHECK(keys.reload("{") == "the text begins as JSON, and is no JSON object");
    CHECK(keys.current()->at(0).type() == JwtKeyType::p256);
    CHECK(keys.reload(rfc::ed25519_jwk).empty());
    CHECK(keys.current()->at(0).type() == JwtKeyType::ed25519);
    CHECK_THROWS_AS(JwtKeys("no key"), std::invalid_argument);
    CHECK_THROWS_WITH(JwtKeys("no key"), "JwtKeys: the text is neither PEM nor a JWK nor a JWKS");
}

TEST_CASE("Keys are exchanged while other threads check with them") {
    JwtKeys keys(rfc::es256_jwk);
    std::atomic<bool> ends{false};
    std::atomic<int> wrong{0};
    std::thread reader([&] {
        while (!ends) {
            auto const set = keys.current();
            if (set->size() != 1 || (set->front().type() == JwtKeyType::rsa) != set->front().only.has_value()) ++wrong;
        }
    });
    for (int i = 0; i < 50; ++i) {
        if (!keys.reload(rfc::jwks).empty()) ++wrong;
        if (!keys.reload(rfc::es256_jwk).empty()) ++wrong;
    }
    ends = true;
    reader.join();
    CHECK(wrong == 0);
}
