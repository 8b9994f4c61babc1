#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hubbub/http/ascii.hpp>
#include <hubbub/policy/jwt/base64url.hpp>
#include <hubbub/policy/jwt/jwt_algorithm.hpp>
#include <hubbub/policy/jwt/jwt_json.hpp>
#include <hubbub/policy/jwt/jwt_keys.hpp>
#include <hubbub/policy/jwt/jwt_problem.hpp>

namespace hubbub::inline v0 {

/// What a token must be. Nothing in a token changes any of it.
struct JwtRules {
    JwtAlgorithms algorithm{};
    std::string issuer{};                 ///< the `iss` that it must have; empty: any
    std::vector<std::string> audience{};  ///< of these one must be in its `aud`; empty: it must have no `aud` (RFC 7519 4.1.3)
    std::string type{};                   ///< the `typ` that it must have, such as "at+jwt"; empty: any
    std::chrono::seconds leeway{5};       ///< for clocks that differ
    bool expiry_required = true;          ///< a token without `exp` is none
    std::size_t most_bytes = 8192;        ///< of the whole token
};

/// What a token that was checked says.
struct JwtClaims {
    nlohmann::json all{};
    std::optional<std::int64_t> expires_at{};  ///< `exp`, in seconds since 1970
};

/// The claims, or why there are none.
struct JwtChecked {
    JwtProblem problem = JwtProblem::malformed;
    JwtClaims claims{};

    explicit operator bool() const noexcept { return problem == JwtProblem::none; }
};

/// Checks signed tokens in compact form (RFC 7515 7.1, RFC 7519). The signature comes before anything that the claims say.
///
/// Threading: any number at once.
class JwtVerifier {
   public:
    JwtVerifier(JwtRules rules, std::shared_ptr<JwtKeys const> keys) : rules_(std::move(rules)), keys_(std::move(keys)) {}

    JwtRules const& rules() const noexcept { return rules_; }
    /// Cost: that of the signature, and a few allocations.
    JwtChecked check(std::string_view token, std::chrono::system_clock::time_point now) const;

   private:
    /// A kid need not be unique, and a key need not have one; more than these are not tried.
    static constexpr std::size_t most_tries = 4;
    static constexpr std::size_t most_header = 2048;

    JwtProblem check_signature(nlohmann::json const& header, std::string_view text, std::string_view signature) const;
    JwtProblem check_claims(JwtClaims& claims, std::int64_t now) const;
    bool has_type(nlohmann::json const& header) const;
    bool is_for_us(nlohmann::json const& claims) const;

    JwtRules rules_;
    std::shared_ptr<JwtKeys const> keys_;
};

namespace detail {
/// RFC 7519 2: a number of seconds, maybe with a fraction. Far beyond any date is as good as the end of time.
inline std::optional<double> numeric_date(nlohmann::json const& value) {
    if (!value.is_number()) return std::nullopt;
    double const seconds = value.get<double>();
    if (!std::isfinite(seconds)) return std::nullopt;
    return std::clamp(seconds, -1e15, 1e15);
}
}  // namespace detail

inline JwtChecked JwtVerifier::check(std::string_view token, std::chrono::system_clock::time_point now) const {
    auto const fail = [](JwtProblem problem) { return JwtChecked{problem, {}}; };
    if (token.size() > rules_.most_bytes) return fail(JwtProblem::too_big);
    std::size_t const first = token.find('.');
    std::size_t const second = first == std::string_view::npos ? first : token.find('.', first + 1);
    if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos || first > most_header)
        return fail(JwtProblem::malformed);
    auto const header_text = decode_base64url(token.substr(0, first));
    auto const signature = decode_base64url(token.substr(second + 1));
    if (!header_text || !signature) return fail(JwtProblem::malformed);
    auto const header = detail::parse_jwt_json(*header_text);
    if (!header) return fail(JwtProblem::malformed);
    if (auto const problem = check_signature(*header, token.substr(0, second), *signature); problem != JwtProblem::none)
        return fail(problem);
    auto const claims_text = decode_base64url(token.substr(first + 1, second - first - 1));
    auto claims = claims_text ? detail::parse_jwt_json(*claims_text) : std::nullopt;
    if (!claims) return fail(JwtProblem::malformed);
    JwtChecked result{JwtProblem::none, {std::move(*claims), {}}};
    result.problem =
        check_claims(result.claims, std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
    return result ? std::move(result) : fail(result.problem);
}

inline JwtProblem JwtVerifier::check_signature(nlohmann::json const& header, std::string_view text,
                                               std::string_view signature) const {
    std::string const* const name = detail::string_member(header, "alg");
    auto const algorithm = name ? jwt_algorithm(*name) : std::nullopt;
    if (!algorithm || !rules_.algorithm.has(*algorithm)) return JwtProblem::algorithm;
    if (header.contains("crit")) return JwtProblem::critical;
    if (!has_type(header)) return JwtProblem::type;
    std::string const* const id = detail::string_member(header, "kid");
    if (!id && header.contains("kid")) return JwtProblem::malformed;

    auto const keys = keys_->current();
    // A key of that name; else one without a name, as a PEM has none. A token without one needs a set in which only one key fits.
    std::vector<JwtKey const*> named, nameless;
    for (JwtKey const& key : *keys) {
        if (!key.serves(*algorithm)) continue;
        if (id && key.id == *id)
            named.push_back(&key);
        else if (!id || key.id.empty())
            nameless.push_back(&key);
    }
    auto const& candidates = named.empty() ? nameless : named;
    if (candidates.empty() || (!id && candidates.size() > 1)) return JwtProblem::unknown_key;
    for (std::size_t i = 0; i < std::min(candidates.size(), most_tries); ++i)
        if (candidates[i]->verifies(*algorithm, text, signature)) return JwtProblem::none;
    return JwtProblem::signature;
}

inline bool JwtVerifier::has_type(nlohmann::json const& header) const {
    if (rules_.type.empty()) return true;
    std::string const* const type = detail::string_member(header, "typ");
    if (!type) return false;
    // RFC 7515 4.1.9: a media type, whose "application/" may be left out.
    constexpr std::string_view prefix = "application/";
    std::string_view given = *type;
    if (given.size() > prefix.size() && http::equals_ignoring_case(given.substr(0, prefix.size()), prefix))
        given.remove_prefix(prefix.size());
    return http::equals_ignoring_case(given, rules_.type);
}

inline bool JwtVerifier::is_for_us(nlohmann::json const& claims) const {
    auto const found = claims.find("aud");
    if (found == claims.end()) return rules_.audience.empty();
    auto const is_ours = [&](nlohmann::json const& one) {
        std::string const* const name = one.get_ptr<std::string const*>();
        return name && std::find(rules_.audience.begin(), rules_.audience.end(), *name) != rules_.audience.end();
    };
    if (!found->is_array()) return is_ours(*found);
    // One that is no string makes the claim none.
    if (!std::all_of(found->begin(), found->end(), [](auto const& each) { return each.is_string(); })) return false;
    return std::any_of(found->begin(), found->end(), is_ours);
}

inline JwtProblem JwtVerifier::check_claims(JwtClaims& claims, std::int64_t now) const {
    auto const& all = claims.all;
    auto const time = static_cast<double>(now), leeway = static_cast<double>(rules_.leeway.count());
    for (char const* const name : {"exp", "nbf", "iat"}) {
        auto const found = all.find(name);
        if (found == all.end()) continue;
        auto const date = detail::numeric_date(*found);
        if (!date) return JwtProblem::claims;
        if (name[0] != 'e') {
            if (*date > time + leeway) return JwtProblem::not_yet;
            continue;
        }
        if (*date + leeway <= time) return JwtProblem::expired;  // RFC 7519 4.1.4: on or after it, it is over
        claims.expires_at = static_cast<std::int64_t>(std::floor(*date));
    }
    if (rules_.expiry_required && !claims.expires_at) return JwtProblem::claims;
    if (!rules_.issuer.empty()) {
        std::string const* const issuer = detail::string_member(all, "iss");
        if (!issuer || *issuer != rules_.issuer) return JwtProblem::issuer;
    }
    return is_for_us(all) ? JwtProblem::none : JwtProblem::audience;
}

}  // namespace hubbub::inline v0
