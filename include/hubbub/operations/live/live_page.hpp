#pragma once

#include <string>
#include <utility>

#include <hubbub/http/response.hpp>
#include <hubbub/operations/live/live_files.hpp>

namespace hubbub::inline v0 {

/// A file of the live page. The policy lets it run its own scripts and talk to its own server, and nothing else, so that what strangers
/// call their users and topics could do no harm even if it became HTML one day.
inline http::Response live_page(LiveFile const& file) {
    http::Response response(http::Status::ok, std::string(file.content), file.type);
    for (auto const& [header, value] :
         {std::pair{
              "Content-Security-Policy",
              "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
              "form-action 'none'; frame-ancestors 'none'"},
          std::pair{"X-Content-Type-Options", "nosniff"}, std::pair{"Referrer-Policy", "no-referrer"},
          std::pair{"Cross-Origin-Opener-Policy", "same-origin"}, std::pair{"Cache-Control", "no-store"}})
        static_cast<void>(response.set_header(header, value));
    return response;
}

/// The page itself, which asks for the others.
inline http::Response live_page() {
    for (LiveFile const& file : live_files)
        if (file.name == "index.html") return live_page(file);
    return http::Response(http::Status::not_found);
}

}  // namespace hubbub::inline v0
