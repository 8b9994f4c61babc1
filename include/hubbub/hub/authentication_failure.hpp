#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <hubbub/http/status.hpp>

namespace hubbub::inline v0 {

/// How authentication has turned a connection away.
enum class AuthenticationFailure : std::uint8_t {
    unauthorized,  ///< 401: it has not said who it is, or not so that it could be believed
    forbidden,     ///< 403: he may not
    unanswered,    ///< the policy had no answer, or another status
    too_often,     ///< 429: too many had failed from there
};
inline constexpr std::size_t authentication_failures = 4;
inline constexpr std::string_view authentication_failure_names[authentication_failures] = {"unauthorized", "forbidden",
                                                                                           "unanswered", "too_often"};

constexpr AuthenticationFailure authentication_failure(http::Status status) noexcept {
    if (status == http::Status::unauthorized) return AuthenticationFailure::unauthorized;
    if (status == http::Status::forbidden) return AuthenticationFailure::forbidden;
    return AuthenticationFailure::unanswered;
}

}  // namespace hubbub::inline v0
