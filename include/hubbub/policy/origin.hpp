#pragma once

#include <algorithm>
#include <concepts>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <hubbub/core/exceptions.hpp>
#include <hubbub/http/ascii.hpp>
#include <hubbub/http/request.hpp>

namespace hubbub::inline v0 {

/// Which pages may connect (RFC 6455 10.2). It exists because browsers let any page open a WebSocket to any host, with its cookies.
///
/// Exemplar:
///     struct OriginExemplar {
///         bool passes(hubbub::http::Request const&) const;
///     };
///
/// Required behaviour: called on the loop that accepted the connection, before authentication; each shard has an instance of its
/// own. A request that does not pass is answered with 403, and so is one for which it throws.
///
/// Models: OriginCheck.
template <class T>
concept OriginPolicy = std::copy_constructible<T> && requires(T const& policy, http::Request const& request) {
    { policy.passes(request) } -> std::same_as<bool>;
};

/// Lets pages of this host in, or of the origins that are listed. On by default.
///
/// A request without Origin comes from no browser. `null` is refused wherever something is checked.
struct OriginCheck {
    bool is_on = true;
    bool absent_allowed = true;          ///< a request without Origin passes
    std::vector<std::string> allowed{};  ///< exact origins, "https://example.org:8443"; empty: the host that was connected to

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
    /// Throws std::invalid_argument with a sentence that names what is listed and sent by no browser: it would let nobody in.
    void check() const {
        for (std::string const& each : allowed)
            if (!is_origin(each))
                detail::throw_exception(std::invalid_argument(
                    "OriginCheck::allowed \"" + each +
                    "\" is no origin as browsers send it, such as \"https://example.org\" or "
                    "\"http://localhost:3000\": a scheme, a host, a port if it is not the scheme's own, and no path"));
    }

   private:
    /// RFC 6454 6.2, but for `null`.
    static bool is_origin(std::string_view text) {
        auto const scheme = text.find("://");
        if (scheme == std::string_view::npos || scheme == 0) return false;
        auto const rest = text.substr(scheme + 3);
        bool const has_own_port = (http::equals_ignoring_case(text.substr(0, scheme), "https") && rest.ends_with(":443")) ||
                                  (http::equals_ignoring_case(text.substr(0, scheme), "http") && rest.ends_with(":80"));
        return !rest.empty() && !has_own_port && rest.find_first_of("/?#@*, \t") == std::string_view::npos;
    }
};
static_assert(OriginPolicy<OriginCheck>);

}  // namespace hubbub::inline v0
