#pragma once

#include <hubbub/hub/close_info.hpp>
#include <hubbub/ws/message_view.hpp>

namespace hubbub::inline v0 {

/// Every hook of an application, doing nothing: derive and write those that you need.
///
/// Threading: each shard owns a copy of the handler and calls it on its own loop. Errors: a hook that throws closes its own
/// session with 1011.
struct NoopHandler {
    void on_open(auto& /*session*/) {}
    void on_message(auto& /*session*/, MessageView /*message*/) {}
    /// Exactly once for each session that was opened, and last.
    void on_close(auto& /*session*/, CloseInfo const& /*info*/) {}
};

}  // namespace hubbub::inline v0
