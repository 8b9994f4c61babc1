#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include <hubbub/http/routes.hpp>

#include "page_files.hpp"  // made of the files in page/ and the JavaScript client by embed.cmake

namespace chat {

inline std::string_view content_type(std::string_view file) {
    if (file.ends_with(".html")) return "text/html; charset=utf-8";
    if (file.ends_with(".css")) return "text/css; charset=utf-8";
    if (file.ends_with(".js")) return "text/javascript; charset=utf-8";
    return "application/octet-stream";
}

/// A file of the page. The policy lets it run its own script and talk to its own server, and nothing else, so that what users
/// write could do no harm even if it became HTML one day.
inline hubbub::http::Response page_response(std::string_view name, std::string content) {
    hubbub::http::Response response(hubbub::http::Status::ok, std::move(content), content_type(name));
    for (auto const& [header, value] :
         {std::pair{"Content-Security-Policy",
                    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
                    "base-uri 'none'; "
                    "form-action 'none'; frame-ancestors 'none'"},
          std::pair{"X-Content-Type-Options", "nosniff"}, std::pair{"Referrer-Policy", "no-referrer"},
          std::pair{"Cross-Origin-Opener-Policy", "same-origin"}, std::pair{"Cache-Control", "no-cache"}})
        static_cast<void>(response.set_header(header, value));
    return response;
}

/// From the program itself or, while you work on it, from a folder, if that has it.
inline hubbub::http::Response page_of(std::string_view name, std::filesystem::path const& folder = {}) {
    if (std::ifstream stream(folder / name, std::ios::binary); !folder.empty() && stream)
        return page_response(name, std::string(std::istreambuf_iterator<char>(stream), {}));
    for (PageFile const& file : page_files)
        if (file.name == name) return page_response(name, std::string(file.content));
    return hubbub::http::Response(hubbub::http::Status::not_found, "");
}

/// Serves the page from the program itself; or, while you work on it, from a folder, so that a reload of the browser shows what you
/// have changed.
inline void add_page(hubbub::http::Routes& routes, std::filesystem::path const& folder = {}) {
    for (PageFile const& file : page_files) {
        auto const answer = [file, folder](hubbub::http::Request const&) { return page_of(file.name, folder); };
        routes.add("/" + std::string(file.name), answer);
        if (file.name == "index.html") routes.add("/", answer);
    }
}

}  // namespace chat
