#pragma once

#include <string_view>

#include <hubbub/http/ascii.hpp>
#include <hubbub/http/request.hpp>

namespace hubbub::inline v0 {

/// True if the page that connects came from the host that it connects to, or if no browser sent the request (RFC 6455 10.2).
/// `null` and every other origin is refused; the scheme is not compared, because a proxy may have ended TLS.
inline bool is_same_host(http::Request const& request) {
    auto const origin = request.header("Origin");
    if (!origin) return true;
    auto const scheme = origin->find("://");
    if (scheme == std::string_view::npos) return false;
    return http::equals_ignoring_case(origin->substr(scheme + 3), request.host());
}

}  // namespace hubbub::inline v0
