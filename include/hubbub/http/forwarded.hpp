#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <hubbub/core/network.hpp>
#include <hubbub/http/ascii.hpp>
#include <hubbub/http/request.hpp>

namespace hubbub::inline v0::http {

/// Which header of a request says where it came from. Only one is believed: a proxy that writes one of them may hand on the other
/// as the client made it up.
enum class ForwardedHeader : std::uint8_t {
    none,
    x_forwarded_for,  ///< "client, proxy1, proxy2"
    forwarded,        ///< RFC 7239: "for=192.0.2.1;proto=https, for=\"[2001:db8::1]:4711\""
};

namespace detail {
/// "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:80". Nothing for what else there is: "unknown",
/// names that hide the address (RFC 7239 6), nonsense.
inline std::optional<PeerAddress> parse_node(std::string_view node) {
    if (!node.empty() && node.front() == '[') {
        std::size_t const end = node.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        return parse_address(node.substr(1, end - 1));
    }
    std::size_t const colon = node.find(':');
    bool const has_port = colon != std::string_view::npos && node.find(':', colon + 1) == std::string_view::npos;
    return parse_address(has_port ? node.substr(0, colon) : node);
}

/// The last element of a comma-separated list, which is cut off; commas in quoted strings do not count, where there are such
/// (RFC 9110 5.6.4). A quote that never ends is a stranger's, and may not swallow what a proxy has added behind it.
inline std::string_view take_last(std::string_view& list, bool has_quotes) {
    std::size_t last = std::string_view::npos;
    bool quoted = false;
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (quoted && list[i] == '\\')
            ++i;
        else if (list[i] == '"' && has_quotes)
            quoted = !quoted;
        else if (list[i] == ',' && !quoted)
            last = i;
    }
    if (quoted) last = list.rfind(',');
    std::string_view const element = last == std::string_view::npos ? list : list.substr(last + 1);
    list = last == std::string_view::npos ? std::string_view() : list.substr(0, last);
    return trim(element);
}

/// The node of the parameter `for` of one element of Forwarded; empty if it has none.
inline std::string node_of(std::string_view element) {
    while (!element.empty()) {
        std::size_t end = 0;
        for (bool quoted = false; end < element.size() && (quoted || element[end] != ';'); ++end) {
            if (quoted && element[end] == '\\')
                ++end;
            else if (element[end] == '"')
                quoted = !quoted;
        }
        std::string_view const pair = trim(element.substr(0, end));
        element.remove_prefix(std::min(end + 1, element.size()));
        if (pair.size() < 4 || !equals_ignoring_case(pair.substr(0, 4), "for=")) continue;
        std::string_view value = pair.substr(4);
        if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::string(value);
        std::string node;
        value = value.substr(1, value.size() - 2);
        for (std::size_t i = 0; i < value.size(); ++i) {
            if (value[i] == '\\' && i + 1 < value.size()) ++i;
            node += value[i];
        }
        return node;
    }
    return {};
}
}  // namespace detail

/// Calls `visit(std::optional<PeerAddress>)` for each hop that the headers name, the nearest first, until it answers false. A hop
/// without an address that can be read is nothing.
template <class Visit>
void visit_hops(Request const& request, ForwardedHeader which, Visit&& visit) {
    if (which == ForwardedHeader::none) return;
    std::string_view const name = which == ForwardedHeader::forwarded ? "Forwarded" : "X-Forwarded-For";
    std::string list;  // several lines are one list, in their order (RFC 9110 5.3)
    for (Header const header : request.headers()) {
        if (!equals_ignoring_case(header.name, name)) continue;
        if (!list.empty()) list += ',';
        list += header.value;
    }
    for (std::string_view left = list; !left.empty();) {
        std::string_view const element = detail::take_last(left, which == ForwardedHeader::forwarded);
        if (element.empty()) continue;  // RFC 9110 5.6.1: empty elements do not count
        auto const hop =
            which == ForwardedHeader::forwarded ? detail::parse_node(detail::node_of(element)) : detail::parse_node(element);
        if (!visit(hop)) return;
    }
}

}  // namespace hubbub::inline v0::http
