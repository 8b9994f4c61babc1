#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <hubbub/http/ascii.hpp>
#include <hubbub/http/request.hpp>
#include <hubbub/ws/accept_key.hpp>
#include <hubbub/ws/base64.hpp>

namespace hubbub::inline v0::ws {

/// What a client's handshake says. A real client draws `nonce` at random for each connection (RFC 6455 4.1).
struct UpgradeRequest {
    std::string_view host = "localhost";
    std::string_view target = "/";
    std::array<std::byte, 16> nonce{};
    std::string_view protocols{};  ///< a comma-separated list, or empty
    std::string_view origin{};     ///< or empty
    std::span<http::Header const> extra{};

    std::string key() const { return encode_base64(nonce); }
};

/// The request as it goes to the socket.
inline std::string make_upgrade_request(UpgradeRequest const& request) {
    std::string out;
    out.reserve(256);
    out.append("GET ").append(request.target).append(" HTTP/1.1\r\nHost: ").append(request.host);
    out.append("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ");
    out.append(request.key()).append("\r\n");
    if (!request.protocols.empty()) out.append("Sec-WebSocket-Protocol: ").append(request.protocols).append("\r\n");
    if (!request.origin.empty()) out.append("Origin: ").append(request.origin).append("\r\n");
    for (http::Header const& header : request.extra) out.append(header.name).append(": ").append(header.value).append("\r\n");
    out.append("\r\n");
    return out;
}

/// What a server answered to a handshake.
///
/// Lifetime: borrows from the answer.
struct UpgradeAnswer {
    enum class Kind : std::uint8_t { need_more, accepted, refused };

    Kind kind = Kind::need_more;
    unsigned status = 0;
    std::size_t consumed = 0;  ///< bytes of the head; what follows is frames, or the body of a refusal
    std::string_view protocol;
    std::string_view head;
};

/// Reads the head of the answer, given all that has come so far (RFC 6455 4.1). A 101 that is not right is `refused` too.
inline UpgradeAnswer check_upgrade_response(std::string_view bytes, std::string_view key) {
    UpgradeAnswer answer;
    std::size_t const end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) return answer;
    answer.kind = UpgradeAnswer::Kind::refused;
    answer.consumed = end + 4;
    answer.head = bytes.substr(0, end + 2);
    if (!answer.head.starts_with("HTTP/1.1 ") || answer.head.size() < 12) return answer;
    for (char const c : answer.head.substr(9, 3)) {
        answer.status = answer.status * 10 + static_cast<unsigned>(http::is_digit(c) ? c - '0' : 0);
    }

    bool upgrade = false, connection = false, accept = false, extension = false;
    std::string_view rest = answer.head.substr(answer.head.find("\r\n") + 2);
    while (!rest.empty()) {
        std::string_view const line = rest.substr(0, rest.find("\r\n"));
        rest.remove_prefix(line.size() + 2);
        std::size_t const colon = std::min(line.find(':'), line.size());
        std::string_view const name = line.substr(0, colon);
        std::string_view const value = http::trim(line.substr(std::min(colon + 1, line.size())));
        auto const is = [name](std::string_view known) { return http::equals_ignoring_case(name, known); };
        if (is("Upgrade")) upgrade = http::equals_ignoring_case(value, "websocket");
        if (is("Connection")) {
            connection = !http::visit_list(value, [](auto each) { return !http::equals_ignoring_case(each, "upgrade"); });
        }
        if (is("Sec-WebSocket-Accept")) accept = key.size() == 24 && value == AcceptKey(key).view();
        if (is("Sec-WebSocket-Protocol")) answer.protocol = value;
        if (is("Sec-WebSocket-Extensions")) extension = true;  // this client offers none
    }
    if (answer.status == 101 && upgrade && connection && accept && !extension) answer.kind = UpgradeAnswer::Kind::accepted;
    return answer;
}

}  // namespace hubbub::inline v0::ws
