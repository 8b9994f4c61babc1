#pragma once

#include <cstdint>

namespace hubbub::inline v0 {

/// Why a WebSocket connection ended: RFC 6455 7.4.1 and the IANA registry of close codes.
enum class CloseCode : std::uint16_t {
    normal = 1000,
    going_away = 1001,
    protocol_error = 1002,
    unsupported_data = 1003,
    no_status = 1005,  ///< never on the wire: the peer's Close had no code
    abnormal = 1006,   ///< never on the wire: the connection ended without a Close
    invalid_payload = 1007,
    policy_violation = 1008,
    message_too_big = 1009,
    mandatory_extension = 1010,
    internal_error = 1011,
    service_restart = 1012,
    try_again_later = 1013,
    bad_gateway = 1014,
    identity_expired = 4401,  ///< hubbub's own: the session outlived its identity
    identity_revoked = 4403,  ///< hubbub's own: the identity was taken back
};

/// May stand in a Close frame on the wire (RFC 6455 7.4.1, 7.4.2; 1012 to 1014 are registered since).
constexpr bool is_valid_on_wire(std::uint16_t code) noexcept {
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

}  // namespace hubbub::inline v0
