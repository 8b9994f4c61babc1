#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <hubbub/http/ascii.hpp>
#include <hubbub/http/request.hpp>
#include <hubbub/http/status.hpp>
#include <hubbub/ws/accept_key.hpp>
#include <hubbub/ws/base64.hpp>

namespace hubbub::inline v0::ws {

/// What a request wants of the hub.
///
/// Lifetime: borrows from the request.
struct UpgradeOutcome {
    enum class Kind : std::uint8_t { not_websocket, accepted, refused };

    Kind kind = Kind::not_websocket;
    http::Refusal refusal;                     ///< where it is refused
    AcceptKey accept;                          ///< where it is accepted
    std::vector<std::string_view> protocols;   ///< subprotocols that the client offers, the one it likes best first
    std::vector<std::string_view> extensions;  ///< each `Sec-WebSocket-Extensions` line, as it came
};

/// More subprotocols than this are refused.
inline constexpr std::size_t max_offered_protocols = 32;

/// Decides whether a request is a WebSocket handshake, and checks it (RFC 6455 4.2.1). A plain request is `not_websocket`; one
/// that says `Upgrade: websocket` or brings a key means to be a handshake, and has all of it right or is refused.
UpgradeOutcome check_upgrade(http::Request const& request);

/// The first of ours that the client offered. The order of the server decides; names are compared with case (RFC 6455 4.2.2).
inline std::optional<std::string_view> select_protocol(std::span<std::string_view const> offered,
                                                       std::span<std::string_view const> supported) noexcept {
    for (std::string_view const ours : supported) {
        if (std::find(offered.begin(), offered.end(), ours) != offered.end()) return ours;
    }
    return std::nullopt;
}

/// The 101. Empty, so nothing to send: the protocol or a name among `extra` is no token, or a value has a control character.
inline std::string upgrade_response(AcceptKey const& accept, std::string_view protocol = {},
                                    std::span<http::Header const> extra = {}) {
    std::string out;
    out.reserve(192);
    out.append("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ");
    out.append(accept.view()).append("\r\n");
    if (!protocol.empty()) {
        if (!http::is_token(protocol)) return {};
        out.append("Sec-WebSocket-Protocol: ").append(protocol).append("\r\n");
    }
    for (http::Header const& header : extra) {
        if (!http::is_token(header.name) || !http::is_field_value(header.value)) return {};
        out.append(header.name).append(": ").append(header.value).append("\r\n");
    }
    out.append("\r\n");
    return out;
}

inline UpgradeOutcome check_upgrade(http::Request const& request) {
    using http::Status;
    UpgradeOutcome outcome;
    auto const refuse = [&](std::string_view reason, Status status = Status::bad_request) {
        outcome.kind = UpgradeOutcome::Kind::refused;
        outcome.refusal = {status, reason, request.is_head()};
        return std::move(outcome);
    };

    // One walk over the headers; which of them is looked at is decided by its length.
    bool wants_websocket = false, connection_upgrade = false, bad_protocol = false;
    unsigned upgrades = 0;
    std::optional<std::string_view> key, version;
    for (http::Header const header : request.headers()) {
        auto const is = [&](std::string_view name) { return http::equals_ignoring_case(header.name, name); };
        auto const lists = [&](std::string_view token) {
            return !http::visit_list(header.value,
                                     [token](auto element) { return !http::equals_ignoring_case(element, token); });
        };
        switch (header.name.size()) {
            case 7:
                if (!is("Upgrade")) break;
                ++upgrades;
                wants_websocket = wants_websocket || lists("websocket");
                break;
            case 10:
                if (is("Connection")) connection_upgrade = connection_upgrade || lists("upgrade");
                break;
            case 17:
                if (is("Sec-WebSocket-Key")) key = header.value;
                break;
            case 21:
                if (is("Sec-WebSocket-Version")) version = header.value;
                break;
            case 22: {
                if (!is("Sec-WebSocket-Protocol")) break;
                std::size_t const before = outcome.protocols.size();
                // RFC 6455 4.1, 10: tokens, each only once.
                bad_protocol |= !http::visit_list(header.value, [&](std::string_view offered) {
                    auto& all = outcome.protocols;
                    bool const fine = http::is_token(offered) && all.size() < max_offered_protocols &&
                                      std::find(all.begin(), all.end(), offered) == all.end();
                    if (fine) all.push_back(offered);
                    return fine;
                });
                bad_protocol |= outcome.protocols.size() == before;
                break;
            }
            case 24:
                if (is("Sec-WebSocket-Extensions")) outcome.extensions.push_back(header.value);
                break;
            default: break;
        }
    }

    if (!wants_websocket && !key) return {};
    if (request.is_head()) return refuse("a WebSocket handshake is a GET");
    if (!wants_websocket) return refuse("Upgrade: websocket is missing");
    if (upgrades != 1) return refuse("there is more than one Upgrade");
    if (!connection_upgrade) return refuse("Connection: Upgrade is missing");
    if (!version || *version != "13") return refuse("the version of the protocol is 13", Status::upgrade_required);
    if (!key) return refuse("Sec-WebSocket-Key is missing");
    if (!is_base64_of(*key, 16)) return refuse("Sec-WebSocket-Key is not the base64 of 16 bytes");
    if (bad_protocol) return refuse("Sec-WebSocket-Protocol is malformed");
    outcome.kind = UpgradeOutcome::Kind::accepted;
    outcome.accept = AcceptKey(*key);
    return outcome;
}

}  // namespace hubbub::inline v0::ws
