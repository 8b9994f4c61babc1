#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <hubbub/http/ascii.hpp>
#include <hubbub/http/request.hpp>

namespace hubbub::inline v0 {

/// Which pages may connect (RFC 6455 10.2). On by default: browsers let any page open a WebSocket to any host, with its cookies.
///
/// A request without Origin comes from no browser. `null` is refused wherever something is checked.
struct OriginCheck {
    bool is_on = true;
    bool absent_allowed = true;        ///< a request without Origin passes
    std::vector<std::string> allowed;  ///< exact origins, "https://example.org:8443"; empty: the host that was connected to

    static OriginCheck off() { return {false, true, {}}; }

    bool passes(http::Request const& request) const {
        if (!is_on) return true;
        auto const origin = request.header("Origin");
        if (!origin) return absent_allowed;
        if (!allowed.empty())
            return std::any_of(allowed.begin(), allowed.end(),
                               [&](std::string const& each) { return http::equals_ignoring_case(each, *origin); });
        // The scheme is not compared, because a proxy may have ended TLS.
        auto const scheme = origin->find("://");
        return scheme != std::string_view::npos && http::equals_ignoring_case(origin->substr(scheme + 3), request.host());
    }
};

}  // namespace hubbub::inline v0
