// Any bytes, as a token, as parts that are signed as they should be, as a text of keys, as a request: nothing is accepted that a second
// opinion refuses.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <hubbub/http/request_parser.hpp>
#include <hubbub/policy/jwt/jwt_auth.hpp>

namespace fuzzed {

using namespace hubbub;

constexpr std::int64_t now = 1'700'000'000;
std::string const secret = "a secret for the fuzzer, of 32 bytes at least";
constexpr std::string_view es256 =
    R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";

void require(bool condition) {
    if (!condition) std::abort();
}

std::string hmac(std::string_view text) {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), reinterpret_cast<unsigned char const*>(text.data()),
         text.size(), bytes, &size);
    return std::string(reinterpret_cast<char const*>(bytes), size);
}

JwtAuth::Options options() {
    JwtAuth::Options result;
    result.algorithm = {"HS256", "ES256"};
    JwtKeyText keys = read_jwt_keys(es256);
    keys.keys.push_back(JwtKey::secret(secret));
    result.keys = std::make_shared<JwtKeys>(std::move(keys));
    result.claims.labels = "roles";
    result.source.cookie = result.source.query = "t";
    result.clock = [] { return std::chrono::system_clock::time_point(std::chrono::seconds(now)); };
    return result;
}
JwtAuth const auth(options());
JwtVerifier const verifier({.algorithm = {"HS256", "ES256"}}, options().keys);

/// What holds for every token that is accepted, found out in another way.
void check_token(std::string_view token) {
    auto const checked = verifier.check(token, std::chrono::system_clock::time_point(std::chrono::seconds(now)));
    Authenticated const who = auth.judge(token);
    bool const is_in = who.status == http::Status::switching_protocols;
    require(!is_in || checked);
    require(is_in || who.status == http::Status::unauthorized);
    if (!checked) return require(checked.claims.all.is_null());
    std::size_t const last = token.rfind('.'), first = token.find('.');
    require(last != first && last < token.size());
    auto const header = nlohmann::json::parse(*decode_base64url(token.substr(0, first)));
    require(header.at("alg") == "HS256");  // nobody has the key for the other
    require(!header.contains("crit"));
    require(decode_base64url(token.substr(last + 1)) == hmac(token.substr(0, last)));
    auto const claims = nlohmann::json::parse(*decode_base64url(token.substr(first + 1, last - first - 1)));
    require(claims == checked.claims.all);
    require(claims.at("exp").get<double>() > static_cast<double>(now) - 6);
    require(!claims.contains("aud"));
    if (!is_in) return;
    require(claims.at("sub") == who.identity.user && !who.identity.user.empty());
    require(who.identity.labels.size() <= 128);
    require(who.expires_in && *who.expires_in > Duration::zero());
}

void check_keys(std::string_view text) {
    auto const read = read_jwt_keys(text);
    require(read.problem.empty() != read.keys.empty());
    require(read.keys.size() <= 64);
    for (JwtKey const& key : read.keys) {
        require(key.bits() >= 256);
        for (std::size_t i = 0; i < jwt_algorithms; ++i) {
            auto const algorithm = static_cast<JwtAlgorithm>(i);
            if (key.serves(algorithm))
                require(suits(key.type(), algorithm) && !key.verifies(algorithm, "text", text.substr(0, 64)));
        }
    }
    require(ERR_peek_error() == 0);
}

void check_request(std::string_view text) {
    http::RequestParser parser;
    auto const progress = parser.feed(std::as_bytes(std::span(text.data(), text.size())));
    if (progress.state != http::RequestParser::Progress::State::complete) return;
    http::Request request = std::move(parser).take();
    std::optional<Authenticated> answer;
    JwtAuth copy(auth);
    copy.authenticate(request, {}, Verdict<Authenticated>([&](Authenticated who) { answer = std::move(who); }));
    require(answer.has_value());
    std::string const before(request.target());
    request.hide_parameter("t");
    require(request.target().size() == before.size());
    auto const found = find_jwt(request, {.authorization = false, .protocol = false, .query = "t"});
    if (found.token) require(found.token->find_first_not_of('*') == std::string_view::npos);
}

}  // namespace fuzzed

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    using namespace fuzzed;
    if (size == 0) return 0;
    std::string_view const text(reinterpret_cast<char const*>(data) + 1, size - 1);
    switch (data[0]) {
        case 't': check_token(text); break;
        case 's': {  // a line of the header, and then the claims
            std::size_t const end = std::min(text.find('\n'), text.size());
            std::string const parts =
                encode_base64url(text.substr(0, end)) + "." + encode_base64url(text.substr(std::min(end + 1, text.size())));
            check_token(parts + "." + encode_base64url(hmac(parts)));
            break;
        }
        case 'k': check_keys(text); break;
        case 'r': check_request(text); break;
        default: break;
    }
    return 0;
}
