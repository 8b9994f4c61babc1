#pragma once

#include <cstddef>
#include <string_view>

#include <hubbub/http/ascii.hpp>

namespace hubbub::inline v0::http {

/// A host and maybe a port, as in `Host` and in an absolute target.
///
/// Lifetime: borrows from what was parsed.
struct Authority {
    std::string_view host;  ///< a name, an IPv4 address, or an IPv6 address in its brackets
    std::string_view port;  ///< digits, or empty

    friend bool operator==(Authority const& a, Authority const& b) noexcept {
        return a.port == b.port && equals_ignoring_case(a.host, b.host);
    }
};

/// Reads `host[:port]`. False: it is malformed; no user information, spaces, lists or percent-encoding is accepted, and the
/// port is a number from 1 to 65535. Stricter than RFC 3986 3.2.2, as hosts that exist need no more.
inline bool parse_authority(std::string_view text, Authority& out) noexcept {
    std::size_t end = 0;
    if (!text.empty() && text.front() == '[') {
        end = 1;
        while (end < text.size() && (is_hex_digit(text[end]) || text[end] == ':' || text[end] == '.')) ++end;
        if (end < 3 || end == text.size() || text[end] != ']') return false;
        ++end;
    } else {
        while (end < text.size() && (is_alpha(text[end]) || is_digit(text[end]) || text[end] == '-' || text[end] == '.' ||
                                     text[end] == '_' || text[end] == '~')) {
            ++end;
        }
        if (end == 0) return false;
    }
    out = {text.substr(0, end), {}};
    if (end == text.size()) return true;
    if (text[end] != ':') return false;
    out.port = text.substr(end + 1);
    if (out.port.empty() || out.port.size() > 5) return false;
    unsigned number = 0;
    for (char const c : out.port) {
        if (!is_digit(c)) return false;
        number = number * 10 + static_cast<unsigned>(c - '0');
    }
    return number >= 1 && number <= 65535;
}

}  // namespace hubbub::inline v0::http
