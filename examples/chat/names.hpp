#pragma once

#include <charconv>
#include <string>
#include <string_view>
#include <utility>

#include <hubbub/core/identity.hpp>
#include <hubbub/core/peer_address.hpp>
#include <hubbub/core/verdict.hpp>
#include <hubbub/http/request.hpp>
#include <hubbub/policy/authentication.hpp>
#include <hubbub/ws/utf8.hpp>

#include "rules.hpp"
#include "text.hpp"

/// What somebody is called. It stands in the identity, so that presence tells it to all in a room, on whichever thread or process they
/// are: as the user, if he has signed in, or else as a label.
namespace chat {

inline constexpr std::string_view name_label = "name:";

/// The identity of somebody who says that this is his name.
inline hubbub::Identity called(std::string_view name) { return {.labels = {std::string(name_label).append(name)}}; }

inline std::string_view name_of(hubbub::Identity const& who) {
    if (!who.user.empty()) return who.user;
    for (std::string_view const label : who.labels)
        if (label.starts_with(name_label)) return label.substr(name_label.size());
    return "Somebody";
}

/// What a form or encodeURIComponent makes of characters, undone.
inline std::string decoded(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned char code = 0;
        if (text[i] == '%' && i + 2 < text.size() &&
            std::from_chars(text.data() + i + 1, text.data() + i + 3, code, 16).ptr == text.data() + i + 3) {
            result += static_cast<char>(code);
            i += 2;
        } else {
            result += text[i] == '+' ? ' ' : text[i];
        }
    }
    return result;
}

/// The parameter `name` of a request, made fit to be shown; empty, if there is none.
inline std::string name_in(hubbub::http::Request const& request) {
    std::string typed;
    hubbub::http::visit_parameters(request.query(), [&](std::string_view parameter, std::string_view value) {
        if (parameter == "name") typed = decoded(value);
        return true;
    });
    if (!hubbub::ws::is_valid_utf8(std::string_view(typed))) return {};
    return std::string(text::first(text::name(typed), Rules::name));
}

/// Lets everybody in, under the name that he gives himself: `/ws?name=Ann`. Two may have the same.
struct NamedByHimself {
    void authenticate(hubbub::http::Request const& request, hubbub::PeerAddress const&,
                      hubbub::Verdict<hubbub::Authenticated> verdict) {
        std::string const name = name_in(request);
        verdict.answer(hubbub::Authenticated::as(name.empty() ? hubbub::Identity{} : called(name)));
    }
};

}  // namespace chat
