#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <hubbub/core/identity.hpp>
#include <hubbub/core/peer_address.hpp>
#include <hubbub/http/request.hpp>
#include <hubbub/hub/close_info.hpp>
#include <hubbub/hub/limit_table.hpp>
#include <hubbub/hub/publish_options.hpp>
#include <hubbub/ws/frame.hpp>

namespace hubbub::inline v0 {

/// What few sessions need, or need only for a moment: allocated on first use.
struct SessionExtras {
    /// A publication that waits for its verdict; those behind it wait too.
    struct Waiting {
        std::uint64_t serial;
        std::string topic;
        Frame frame;
        PublishOptions options;
        std::optional<bool> allowed;
    };

    Identity identity;
    std::optional<PeerAddress> peer;  ///< where it really comes from, if a proxy stands between
    LimitTable::UserLease user_lease;
    std::optional<http::Request> request;  ///< until `on_open` returns
    std::string protocol;                  ///< the subprotocol that was chosen
    std::optional<std::string> pong;       ///< the newest ping that is not answered
    std::optional<CloseInfo> ended;        ///< how it ends, once that is known
    std::vector<Waiting> waiting;          ///< in their order; few, because the session is not read meanwhile
    std::uint64_t serials = 0;
    std::uint32_t lifetime_ends_at = 0;  ///< in ticks, like the next; 0 for never
    std::uint32_t message_at = 0;        ///< the last message from the client

    /// Nothing in it is needed any more.
    bool is_idle() const noexcept {
        return identity.user.empty() && identity.labels.empty() && !identity.expires_at && !peer && !request &&
               protocol.empty() && !pong && !ended && waiting.empty() && !lifetime_ends_at && !message_at;
    }
};

}  // namespace hubbub::inline v0
