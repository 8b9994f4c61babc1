#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <hubbub/http/ascii.hpp>
#include <hubbub/http/request.hpp>

namespace hubbub::inline v0 {

/// Where in a request a token may stand. They are looked at in this order, and the first that is there decides.
struct JwtSource {
    bool authorization = true;  ///< `Authorization: Bearer TOKEN` (RFC 6750 2.1): programs
    bool protocol = true;       ///< `Sec-WebSocket-Protocol: PROTOCOL, bearer.TOKEN`: pages, which can set no other header
    std::string
        cookie{};  ///< in the cookie of that name; empty for none. Keep the origin check on: browsers send it for any page
    std::string query{};  ///< in `?NAME=TOKEN`; empty for none. What is in front of the hub may write targets into its log
};

/// What a request brings.
struct JwtFound {
    std::optional<std::string_view> token{};  ///< borrowed from the request; empty text for one that cannot be right
    bool in_query = false;
};

namespace detail {

/// One alone: who brings two means to confuse somebody, and a cookie of a neighbouring host must not shadow ours.
class OnlyOne {
   public:
    void add(std::string_view value) noexcept { found_ = found_ && *found_ != value ? std::string_view() : value; }
    std::optional<std::string_view> const& found() const noexcept { return found_; }

   private:
    std::optional<std::string_view> found_;
};

inline std::optional<std::string_view> token_in_authorization(http::Request const& request) {
    auto const value = request.header("Authorization");
    constexpr std::string_view scheme = "Bearer";
    if (!value || !http::equals_ignoring_case(value->substr(0, scheme.size()), scheme)) return std::nullopt;
    std::string_view const rest = value->substr(scheme.size());
    if (!rest.empty() && rest.front() != ' ') return std::nullopt;  // "BearerX" is another scheme
    return http::trim(rest);
}

inline std::optional<std::string_view> token_in_protocol(http::Request const& request) {
    constexpr std::string_view prefix = "bearer.";
    OnlyOne only;
    for (http::Header const header : request.headers()) {
        if (!http::equals_ignoring_case(header.name, "Sec-WebSocket-Protocol")) continue;
        http::visit_list(header.value, [&](std::string_view element) {
            if (element.starts_with(prefix)) only.add(element.substr(prefix.size()));
            return true;
        });
    }
    return only.found();
}

inline std::optional<std::string_view> token_in_cookie(http::Request const& request, std::string_view name) {
    OnlyOne only;
    for (http::Header const header : request.headers()) {
        if (!http::equals_ignoring_case(header.name, "Cookie")) continue;
        std::string_view rest = header.value;
        while (!rest.empty()) {
            std::size_t const semicolon = rest.find(';');
            std::string_view const pair = http::trim(rest.substr(0, semicolon));
            std::size_t const equals = pair.find('=');
            if (equals != std::string_view::npos && http::trim(pair.substr(0, equals)) == name)
                only.add(http::trim(pair.substr(equals + 1)));
            if (semicolon == std::string_view::npos) break;
            rest.remove_prefix(semicolon + 1);
        }
    }
    return only.found();
}

inline std::optional<std::string_view> token_in_query(http::Request const& request, std::string_view name) {
    OnlyOne only;
    http::visit_parameters(request.query(), [&](std::string_view each, std::string_view value) {
        if (each == name) only.add(value);
        return true;
    });
    return only.found();
}

}  // namespace detail

inline JwtFound find_jwt(http::Request const& request, JwtSource const& source) {
    if (source.authorization)
        if (auto const token = detail::token_in_authorization(request)) return {token, false};
    if (source.protocol)
        if (auto const token = detail::token_in_protocol(request)) return {token, false};
    if (!source.cookie.empty())
        if (auto const token = detail::token_in_cookie(request, source.cookie)) return {token, false};
    if (!source.query.empty())
        if (auto const token = detail::token_in_query(request, source.query)) return {token, true};
    return {};
}

}  // namespace hubbub::inline v0
