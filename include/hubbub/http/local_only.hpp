#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <hubbub/core/network.hpp>
#include <hubbub/core/peer_address.hpp>
#include <hubbub/http/ascii.hpp>
#include <hubbub/http/authority.hpp>
#include <hubbub/http/request.hpp>

namespace hubbub::inline v0::http {

namespace detail {
inline bool is_loopback(PeerAddress const& peer) noexcept {
    static constexpr std::array<std::uint8_t, 16> one{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    PeerAddress const address = peer.unmapped();
    if (address.family == PeerAddress::Family::ipv4) return address.bytes[0] == 127;
    return address.family == PeerAddress::Family::ipv6 && address.bytes == one;
}

/// A name that no resolver may send elsewhere (RFC 6761 6.3), or a loopback address as `inet_pton` reads it.
inline bool is_loopback_host(std::string_view host) noexcept {
    static constexpr std::string_view name = "localhost";
    if (host.size() >= name.size() && equals_ignoring_case(host.substr(host.size() - name.size()), name))
        return host.size() == name.size() || (host[host.size() - name.size() - 1] == '.' && host.front() != '.');
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    auto const address = parse_address(host);
    return address && is_loopback(*address);
}

/// Some proxy says that it handed the request on, or the browser that it asks for the page of another site.
inline bool comes_for_another(Request const& request) noexcept {
    static constexpr std::string_view family = "X-Forwarded-";  // -For, -Host, -Proto and what else there is
    for (Header const header : request.headers()) {
        if (equals_ignoring_case(header.name.substr(0, family.size()), family)) return true;
        for (std::string_view const each : {"Forwarded", "X-Real-IP", "Via"})
            if (equals_ignoring_case(header.name, each)) return true;
        if (equals_ignoring_case(header.name, "Sec-Fetch-Site") && equals_ignoring_case(header.value, "cross-site"))
            return true;
    }
    return false;
}
}  // namespace detail

/// Whoever asks sits at this machine: the peer is a loopback address or a Unix socket, nothing says that the request was handed
/// on, and the host that is asked for is a loopback one too. For pages that tell strangers too much.
///
/// A reverse proxy on the same machine makes strangers look local, so X-Forwarded-*, Forwarded, X-Real-IP and Via are refused. A
/// page of a stranger may bind its own name to 127.0.0.1, which Host gives away; or just ask, which Sec-Fetch-Site does. Over a
/// Unix socket any Host will do. A proxy that says nothing of itself and asks for `127.0.0.1`, as nginx does unless told, can't be
/// told from a client: it has to deny the path itself.
///
/// Example:
///     if (!http::is_local(request, peer)) return http::Response(http::Status::forbidden, "only on this machine\n");
inline bool is_local(Request const& request, PeerAddress const& peer) noexcept {
    if (detail::comes_for_another(request)) return false;
    if (peer.family == PeerAddress::Family::unix_socket) return true;
    Authority authority;
    return detail::is_loopback(peer) && parse_authority(request.host(), authority) && detail::is_loopback_host(authority.host);
}

}  // namespace hubbub::inline v0::http
