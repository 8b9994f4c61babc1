#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <hubbub/http/response.hpp>
#include <hubbub/http/status.hpp>

namespace hubbub::inline v0::detail {

/// A profile or what belongs to one, for a tool: not to be kept, and not to be taken for a page.
inline http::Response profile_page(std::string body, std::string_view content_type = "text/plain; charset=utf-8") {
    http::Response page(http::Status::ok, std::move(body), content_type);
    static_cast<void>(page.set_header("Cache-Control", "no-store"));
    static_cast<void>(page.set_header("X-Content-Type-Options", "nosniff"));
    return page;
}

/// One sentence in its place.
inline http::Response no_profile(http::Status status, std::string_view why) {
    return http::Response(http::Refusal{status, why});
}

}  // namespace hubbub::inline v0::detail
