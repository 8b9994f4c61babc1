#pragma once

#include <cstdint>

namespace hubbub::inline v0::ws {

/// Which end of a connection we are. A server demands masks, a client refuses them (RFC 6455 5.1).
enum class Role : std::uint8_t { server, client };

}  // namespace hubbub::inline v0::ws
