#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include <hubbub/core/identity.hpp>

namespace hubbub::inline v0 {

/// Which claims make an Identity.
struct JwtIdentityClaims {
    std::string user = "sub";  ///< a string that must be there, of 1 to 255 bytes; empty: everybody is nobody in particular
    /// An array of strings, or names parted by spaces as `scope` has them; a token without it has no labels. A name that begins with a
    /// slash is a path: "/realm_access/roles".
    std::string labels{};
    std::size_t most_labels = 128;  ///< a token with more is refused
};

namespace detail {

/// The claim of that name, or at the end of that path; null if there is none.
inline nlohmann::json const* find_claim(nlohmann::json const& claims, std::string_view name) {
    auto const member = [](nlohmann::json const& object, std::string_view key) -> nlohmann::json const* {
        if (!object.is_object()) return nullptr;
        auto const found = object.find(std::string(key));
        return found == object.end() ? nullptr : &*found;
    };
    if (!name.starts_with('/')) return member(claims, name);
    nlohmann::json const* at = &claims;
    while (at && !name.empty()) {
        name.remove_prefix(1);
        std::size_t const slash = std::min(name.find('/'), name.size());
        at = member(*at, name.substr(0, slash));
        name.remove_prefix(slash);
    }
    return at;
}

inline constexpr std::size_t longest_label = 255;

/// False: it is too long, or there are too many. What is empty or there already is passed over.
inline bool add_jwt_label(Identity& identity, std::string_view label, std::size_t most) {
    if (label.empty() || std::find(identity.labels.begin(), identity.labels.end(), label) != identity.labels.end()) return true;
    if (label.size() > longest_label || identity.labels.size() >= most) return false;
    identity.labels.emplace_back(label);
    return true;
}

inline bool add_jwt_labels(Identity& identity, nlohmann::json const& claim, std::size_t most) {
    if (auto const* const text = claim.get_ptr<std::string const*>()) {
        std::string_view rest = *text;
        while (!rest.empty()) {
            std::size_t const space = std::min(rest.find(' '), rest.size());
            if (!add_jwt_label(identity, rest.substr(0, space), most)) return false;
            rest.remove_prefix(std::min(space + 1, rest.size()));
        }
        return true;
    }
    if (!claim.is_array()) return false;
    return std::all_of(claim.begin(), claim.end(), [&](nlohmann::json const& each) {
        auto const* const text = each.get_ptr<std::string const*>();
        return text && add_jwt_label(identity, *text, most);
    });
}

}  // namespace detail

/// Who it is. Nothing: the user is missing, or a claim is of the wrong type or too large.
inline std::optional<Identity> identity_of(nlohmann::json const& claims, JwtIdentityClaims const& wanted) {
    Identity identity;
    if (!wanted.user.empty()) {
        nlohmann::json const* const claim = detail::find_claim(claims, wanted.user);
        auto const* const user = claim ? claim->get_ptr<std::string const*>() : nullptr;
        if (!user || user->empty() || user->size() > detail::longest_label) return std::nullopt;
        identity.user = *user;
    }
    if (!wanted.labels.empty())
        if (nlohmann::json const* const claim = detail::find_claim(claims, wanted.labels))
            if (!detail::add_jwt_labels(identity, *claim, wanted.most_labels)) return std::nullopt;
    return identity;
}

}  // namespace hubbub::inline v0
