#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <hubbub/core/identity.hpp>
#include <hubbub/core/peer_address.hpp>
#include <hubbub/http/request.hpp>
#include <hubbub/hub/limit_table.hpp>
#include <hubbub/ws/compression_terms.hpp>

namespace hubbub::inline v0 {

/// What a handshake ends in, when it ends well.
struct Upgrade {
    http::Request request;
    Identity identity;
    std::string protocol;           ///< the subprotocol that was chosen
    std::string response;           ///< the 101, or empty if it has been sent
    std::vector<std::byte> beyond;  ///< bytes that followed the request: frames already
    ws::CompressionTerms compression{};
    std::optional<PeerAddress> peer;  ///< where it really comes from, if a proxy stands between
    LimitTable::Lease lease;
    LimitTable::UserLease user_lease;
};

}  // namespace hubbub::inline v0
