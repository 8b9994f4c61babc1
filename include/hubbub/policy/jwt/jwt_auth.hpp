#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/policy/authentication.hpp>
#include <hubbub/policy/jwt/jwt_identity.hpp>
#include <hubbub/policy/jwt/jwt_source.hpp>
#include <hubbub/policy/jwt/jwt_verifier.hpp>

namespace hubbub::inline v0 {

/// Who brings a signed token may connect, as whom it says, for as long as it says. Choose it where somebody else signs people in.
///
/// Without a token: 401 with `WWW-Authenticate: Bearer`. With one that is none, for whatever reason, the same with
/// `error="invalid_token"`. With one that lacks a label of `required_labels`: 403.
///
/// Errors: the constructor and `Options::check` throw std::invalid_argument that names the member.
/// Example:
///     struct Policy : hubbub::DefaultPolicy { using Auth = hubbub::JwtAuth; };
///     hubbub::Server<Policy> server{Chat{}, {.hub = {.auth = {.algorithm = "ES256", .key = pem}}}};
class JwtAuth {
   public:
    struct Options {
        JwtAlgorithms algorithm{};  ///< "ES256", or a list; nothing else is accepted, whatever a token says
        /// Public keys in PEM, a JWK or a JWKS. Where all algorithms are HMACs: the secret itself, unless it is a JWK or JWKS.
        std::string key{};
        std::shared_ptr<JwtKeys> keys{};      ///< instead of `key`: keys that are exchanged while the hub runs
        std::string issuer{};                 ///< the `iss` that a token must have; empty: any
        std::vector<std::string> audience{};  ///< of these one must be in `aud`; empty: a token that has an `aud` is refused
        std::string type{};                   ///< the `typ` that a token must have; empty: any
        std::chrono::seconds leeway{5};       ///< for clocks that differ; a token holds as much longer
        bool expiry_required = true;          ///< a token without `exp` is refused
        std::size_t most_bytes = 8192;        ///< of a token
        JwtSource source{};
        JwtIdentityClaims claims{};
        std::vector<std::string> required_labels{};  ///< who lacks one of them is refused with 403
        /// Asked last, on the loop: may look at all claims, and add to the identity. False: the token is none. For lists of tokens that
        /// were taken back (`jti`), for one.
        std::function<bool(nlohmann::json const& claims, Identity& identity)> accept{};
        /// Told of each refusal, on the loop, for a counter or a log; `none` where there was no token. A client is not told.
        std::function<void(JwtProblem)> on_refused{};
        /// The wall clock; for tests. Threading: called on each loop.
        std::function<std::chrono::system_clock::time_point()> clock{};

        void check() const { (void)JwtAuth(*this); }
    };

    explicit JwtAuth(Options options) : options_(std::move(options)), verifier_{rules_of(options_), keys_of(options_)} {}

    void authenticate(http::Request const& request, PeerAddress const&, Verdict<Authenticated> verdict) {
        JwtFound const found = find_jwt(request, options_.source);
        if (!found.token) {
            tell(JwtProblem::none);
            return verdict.answer(refused(http::Status::unauthorized, "a token is needed", "Bearer"));
        }
        Authenticated who = judge(*found.token);
        if (found.in_query) who.secret_parameter = options_.source.query;
        verdict.answer(std::move(who));
    }

    /// The same for a token that came otherwise, as in a first message, or in one that is to replace the session's:
    /// `session.refresh(auth.judge(token))`.
    Authenticated judge(std::string_view token) const;

   private:
    static Authenticated refused(http::Status status, std::string reason, std::string challenge) {
        Authenticated result = Authenticated::refused(status, std::move(reason));
        result.challenge = std::move(challenge);
        return result;
    }
    void tell(JwtProblem problem) const {
        if (options_.on_refused) options_.on_refused(problem);
    }
    /// RFC 6750 3.1. One answer for all, so that nobody learns from it how close he is.
    Authenticated no_token(JwtProblem problem) const {
        tell(problem);
        return refused(http::Status::unauthorized, "the token is not accepted", R"(Bearer error="invalid_token")");
    }
    [[noreturn]] static void wrong(std::string const& sentence) {
        detail::throw_exception(std::invalid_argument("JwtAuth::Options::" + sentence));
    }
    static JwtRules rules_of(Options const& options);
    static std::shared_ptr<JwtKeys const> keys_of(Options const& options);

    Options options_;
    JwtVerifier verifier_;
};
static_assert(Authentication<JwtAuth>);

inline Authenticated JwtAuth::judge(std::string_view token) const {
    auto const now = options_.clock ? options_.clock() : std::chrono::system_clock::now();
    JwtChecked const checked = verifier_.check(token, now);
    if (!checked) return no_token(checked.problem);
    auto identity = identity_of(checked.claims.all, options_.claims);
    if (!identity) return no_token(JwtProblem::claims);
    if (options_.accept && !options_.accept(checked.claims.all, *identity)) return no_token(JwtProblem::refused);
    for (std::string const& each : options_.required_labels) {
        if (std::find(identity->labels.begin(), identity->labels.end(), each) != identity->labels.end()) continue;
        tell(JwtProblem::label);
        return refused(http::Status::forbidden, "the token does not allow this", R"(Bearer error="insufficient_scope")");
    }
    Authenticated result = Authenticated::as(std::move(*identity));
    if (checked.claims.expires_at) {
        // The wall clock is looked at here and not again: what follows is the loop's time. A century is as good as for ever, and fits.
        constexpr std::chrono::seconds century{3'155'760'000};
        auto const seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch());
        auto const left = std::chrono::seconds(*checked.claims.expires_at) + options_.leeway - seconds;
        result.expires_in = std::chrono::duration_cast<Duration>(std::min(left, century));
    }
    return result;
}

inline JwtRules JwtAuth::rules_of(Options const& options) {
    if (!options.algorithm.unknown().empty())
        wrong("algorithm: \"" + options.algorithm.unknown() +
              "\" is none of HS256, HS384, HS512, RS256, PS256, ES256, ES384 and EdDSA");
    if (options.algorithm.empty()) wrong("algorithm is not set; say which you accept, such as \"ES256\"");
    if (options.leeway.count() < 0 || options.leeway > std::chrono::hours(1)) wrong("leeway must be from 0 s to 1 h");
    if (options.most_bytes < 64 || options.most_bytes > 1u << 20) wrong("most_bytes must be from 64 to 2^20");
    if (!options.source.cookie.empty() && !http::is_token(options.source.cookie)) wrong("source.cookie is no name of a cookie");
    if (options.source.query.find_first_of("=&#? ") != std::string::npos) wrong("source.query is no name of a parameter");
    if (!options.source.authorization && !options.source.protocol && options.source.cookie.empty() &&
        options.source.query.empty())
        wrong("source is empty: nobody could bring a token");
    if (!options.required_labels.empty() && options.claims.labels.empty() && !options.accept)
        wrong("required_labels needs claims.labels, the claim that they come from");
    return {options.algorithm, options.issuer,          options.audience,  options.type,
            options.leeway,    options.expiry_required, options.most_bytes};
}

inline std::shared_ptr<JwtKeys const> JwtAuth::keys_of(Options const& options) {
    if (options.keys && !options.key.empty()) wrong("key and keys are both set; one is enough");
    if (options.keys) return options.keys;
    if (options.key.empty()) wrong("key is not set");
    std::size_t const first = std::min(options.key.find_first_not_of(" \t\r\n"), options.key.size() - 1);
    bool const is_secret = options.algorithm.are_hmacs() && options.key[first] != '{';
    JwtKeyText read;
    if (is_secret) {
        if (options.key.find("-----BEGIN ") != std::string::npos) wrong("key is PEM, and the algorithm wants a secret");
        read.keys.push_back(JwtKey::secret(options.key));
    } else {
        read = read_jwt_keys(options.key);
        if (!read.problem.empty()) wrong("key: " + read.problem);
    }
    for (std::size_t i = 0; i < jwt_algorithms; ++i) {
        auto const algorithm = static_cast<JwtAlgorithm>(i);
        auto const serves = [&](JwtKey const& key) { return key.serves(algorithm); };
        if (!options.algorithm.has(algorithm) || std::any_of(read.keys.begin(), read.keys.end(), serves)) continue;
        if (is_hmac(algorithm) && read.keys.front().type() == JwtKeyType::secret)
            wrong("key: " + std::string(name_of(algorithm)) + " needs a secret of at least " +
                  std::to_string(JwtKey::least_secret(algorithm)) + " bytes (RFC 7518 3.2)");
        wrong("key: there is none for " + std::string(name_of(algorithm)) + "; what is there is " +
              std::string(name_of(read.keys.front().type())));
    }
    return std::make_shared<JwtKeys>(std::move(read.keys));
}

}  // namespace hubbub::inline v0
