#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <hubbub/core/verdict.hpp>
#include <hubbub/hub/noop_handler.hpp>
#include <hubbub/policy/authentication.hpp>
#include <hubbub/protocol/protocol_answer.hpp>
#include <hubbub/protocol/protocol_publication.hpp>

namespace hubbub::inline v0 {

/// What a program adds to the protocol: derive and write the hooks that you need, and give it to a ProtocolHandler. The hooks of
/// NoopHandler are there too, but for `on_message`: what clients say has been understood already.
///
/// Who may subscribe and publish is `Policy::Access`; what is published, `on_publish`.
struct ProtocolApp : NoopHandler {
    /// A client publishes: an error refuses it, and the client is told, if it wants to know. What subscribers are to believe, such as who
    /// says it, is written here: `publication.text` is published instead of what came. `Policy::Access` is asked behind it.
    std::optional<ProtocolAnswer> on_publish(auto& /*session*/, ProtocolPublication& /*publication*/) { return std::nullopt; }
    /// A client asks. The parameters are null if it gave none; `json::Nlohmann::read<T>(params, "params")` reads them into a type.
    /// The verdict may be answered later, on any thread; one that is destroyed answers `no_answer`.
    void on_request(auto& /*session*/, std::string_view method, nlohmann::json& /*params*/, Verdict<ProtocolAnswer> reply) {
        reply.answer(ProtocolAnswer::error("unknown_method", "there is no method \"" + json::excerpt(method) + '"', "method"));
    }
    /// A client brings a new token: whose is it? The same rules; `verdict.answer(auth.judge(token))` where `Policy::Auth` is JwtAuth.
    void judge(auto& /*session*/, std::string_view /*token*/, Verdict<Authenticated> verdict) {
        verdict.answer(Authenticated::refused(http::Status::unauthorized, "tokens are not taken here"));
    }
};

}  // namespace hubbub::inline v0
