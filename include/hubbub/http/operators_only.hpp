#pragma once

#include <functional>
#include <optional>
#include <utility>

#include <hubbub/core/peer_address.hpp>
#include <hubbub/http/local_only.hpp>
#include <hubbub/http/request.hpp>
#include <hubbub/http/status.hpp>

namespace hubbub::inline v0::http {

/// Who may see a page of operation. By default whoever sits at this machine (`is_local`): such pages name users and addresses.
///
/// Threading: called on the loops of those who ask, on each at the same time.
/// Example: `options.allow = http::OperatorsOnly([](auto& request, auto&) { return request.header("X-Key") == "a secret"; });`
class OperatorsOnly {
   public:
    using Allow = std::function<bool(Request const&, PeerAddress const&)>;

    OperatorsOnly() = default;
    explicit OperatorsOnly(Allow allow) : allow_(std::move(allow)) {}
    /// For a server whose port only operators can reach.
    static OperatorsOnly anybody() {
        return OperatorsOnly([](Request const&, PeerAddress const&) { return true; });
    }

    bool allows(Request const& request, PeerAddress const& peer) const {
        return allow_ ? allow_(request, peer) : is_local(request, peer);
    }
    /// What the others are told.
    std::optional<Refusal> refusal(Request const& request, PeerAddress const& peer) const {
        if (allows(request, peer)) return std::nullopt;
        return Refusal{Status::forbidden, allow_ ? "you may not see this" : "this page is for this machine only",
                       request.is_head()};
    }

   private:
    Allow allow_;
};

}  // namespace hubbub::inline v0::http
