#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <hubbub/json/nlohmann_builder.hpp>

namespace hubbub::inline v0::detail {

/// A JSON object as a token's parts and keys are: UTF-8, no member twice (RFC 7515 4, RFC 7519 4), not nested deeper than any
/// token is. Nothing if it is not one.
inline std::optional<nlohmann::json> parse_jwt_json(std::string_view text) {
    // nlohmann's reader takes a NUL for the end, and overlooks a byte order mark.
    if (text.find('\0') != std::string_view::npos || text.starts_with("\xEF\xBB\xBF")) return std::nullopt;
    nlohmann::json document;
    constexpr std::size_t deepest = 16;
    json::detail::NlohmannBuilder builder(document, deepest);
    if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder) || !document.is_object()) return std::nullopt;
    return document;
}

/// A member that is a string; null if it is not there, or is something else.
inline std::string const* string_member(nlohmann::json const& object, char const* name) {
    auto const found = object.find(name);
    return found == object.end() ? nullptr : found->get_ptr<std::string const*>();
}

}  // namespace hubbub::inline v0::detail
