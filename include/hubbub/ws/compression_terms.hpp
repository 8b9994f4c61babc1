#pragma once

#include <cstdint>
#include <string>

namespace hubbub::inline v0::ws {

/// What a handshake has agreed about compression (RFC 7692 7.1). Whoever shakes hands elsewhere hands it over with the upgrade.
struct CompressionTerms {
    bool agreed = false;          ///< permessage-deflate is spoken; nothing else counts without it
    bool server_takeover = true;  ///< the server has not promised that its messages stand alone
    bool client_takeover = true;  ///< the client's messages may refer to its earlier ones
    std::uint8_t server_window_bits = 15;
    std::uint8_t client_window_bits = 15;

    bool operator==(CompressionTerms const&) const = default;
};

/// What is answered to the extensions that a client offers.
struct ExtensionAnswer {
    enum class Kind : std::uint8_t { declined, agreed, malformed };

    Kind kind = Kind::declined;
    CompressionTerms terms;
    std::string response;  ///< the value of `Sec-WebSocket-Extensions`, where it is agreed
};

}  // namespace hubbub::inline v0::ws
