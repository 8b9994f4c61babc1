#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hubbub::inline v0 {

/// Why a token is none, for the operator. A client hears the same answer whichever it is.
enum class JwtProblem : std::uint8_t {
    none,
    too_big,
    malformed,    ///< no three parts, no strict base64url, no JSON object, a member twice
    algorithm,    ///< another than the program lists
    critical,     ///< it has a `crit`, of which nothing is understood (RFC 7515 4.1.11)
    type,         ///< another `typ` than is wanted
    unknown_key,  ///< no key with its `kid`, or none for its algorithm
    signature,
    claims,  ///< a claim of the wrong type, or one missing that must be there
    expired,
    not_yet,  ///< `nbf` or `iat` lies ahead
    issuer,
    audience,
    refused,  ///< by the program's own check
    label,    ///< it lacks one that is required: 403
};
constexpr std::string_view name_of(JwtProblem problem) noexcept {
    constexpr std::string_view names[] = {"none",    "too_big",     "malformed", "algorithm", "critical",
                                          "type",    "unknown_key", "signature", "claims",    "expired",
                                          "not_yet", "issuer",      "audience",  "refused",   "label"};
    return names[static_cast<std::size_t>(problem)];
}

}  // namespace hubbub::inline v0
