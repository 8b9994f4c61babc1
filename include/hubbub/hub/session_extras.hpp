#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <hubbub/core/identity.hpp>
#include <hubbub/core/peer_address.hpp>
#include <hubbub/http/request.hpp>
#include <hubbub/hub/close_info.hpp>
#include <hubbub/hub/limit_table.hpp>
#include <hubbub/hub/permission_cache.hpp>
#include <hubbub/hub/publish_options.hpp>
#include <hubbub/hub/subscription.hpp>
#include <hubbub/hub/waiting_questions.hpp>
#include <hubbub/ws/frame.hpp>

namespace hubbub::inline v0 {

/// What few sessions need, or need only for a moment: allocated on first use.
struct SessionExtras {
    /// A publication that waits for its verdict.
    struct AskedPublication {
        std::string topic;
        Frame frame;
        PublishOptions options;
    };

    /// The same for a subscription.
    struct AskedSubscription {
        std::string topic;
        SubscribeOptions options;
    };

    Identity identity;
    std::optional<PeerAddress> peer;  ///< where it really comes from, if a proxy stands between
    std::size_t own_labels = 0;       ///< of the labels those that came with the identity; they stand first
    LimitTable::UserLease user_lease;
    std::optional<http::Request> request;  ///< until `on_open` returns
    std::string protocol;                  ///< the subprotocol that was chosen
    std::optional<std::string> pong;       ///< the newest ping that is not answered
    std::optional<CloseInfo> ended;        ///< how it ends, once that is known
    WaitingQuestions<AskedPublication> publications;
    WaitingQuestions<AskedSubscription> subscriptions;
    PermissionCache permissions;
    std::uint64_t serials = 0;           ///< of questions
    std::uint32_t identities = 0;        ///< how many it has had: an answer about an old one is not remembered
    std::uint32_t warn_at = 0;           ///< that this identity will expire, in ticks; 0 for never, or no more
    std::uint32_t lifetime_ends_at = 0;  ///< in ticks, like the next; 0 for never
    std::uint32_t message_at = 0;        ///< the last message from the client

    /// Nothing in it is needed any more.
    bool is_idle() const noexcept {
        return identity.user.empty() && identity.labels.empty() && !identity.expires_at && !peer && !request &&
               protocol.empty() && !pong && !ended && publications.empty() && subscriptions.empty() && permissions.empty() &&
               !lifetime_ends_at && !message_at && !serials && !identities;  // a number that is out is never given again
    }
};

}  // namespace hubbub::inline v0
