#pragma once

#include <hubbub/hub/close_info.hpp>
#include <hubbub/hub/subscription.hpp>
#include <hubbub/ws/message_view.hpp>

namespace hubbub::inline v0 {

/// Every hook of an application, doing nothing: derive and write those that you need.
///
/// Threading: each shard owns a copy of the handler and calls it on its own loop. Errors: a hook that throws closes its own
/// session with 1011.
struct NoopHandler {
    void on_open(auto& /*session*/) {}
    void on_message(auto& /*session*/, MessageView /*message*/) {}
    /// A subscription has begun, or was refused. What is published from now on, the own publications too, comes.
    void on_subscribed(auto& /*session*/, Subscription const& /*subscription*/) {}
    /// With a broker: the link to it was interrupted, and of that topic something may have been missed before what comes now. A topic that
    /// remembers is told only where it could not be recovered; `subscription.position` is where it goes on.
    void on_continuity_lost(auto& /*session*/, Subscription const& /*subscription*/) {}
    /// The queue has gone above the high watermark: send less.
    void on_pressure(auto& /*session*/) {}
    /// The queue is at the low watermark again.
    void on_relief(auto& /*session*/) {}
    /// Its identity expires soon (`HubOptions::expiry_warning`): ask the client for a new token, and `session.refresh` when it comes.
    void on_expiring(auto& /*session*/) {}
    /// Exactly once for each session that was opened, last, and never inside another hook.
    void on_close(auto& /*session*/, CloseInfo const& /*info*/) {}
};

}  // namespace hubbub::inline v0
