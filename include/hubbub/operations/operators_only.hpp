#pragma once

#include <functional>
#include <optional>
#include <utility>

#include <hubbub/core/peer_address.hpp>
#include <hubbub/http/local_only.hpp>
#include <hubbub/http/request.hpp>
#include <hubbub/http/status.hpp>

namespace hubbub::inline v0 {

/// Who may see a page of operation. By default whoever sits at this machine (`http::is_local`): such pages name users and addresses.
///
/// Threading: called on the loops of those who ask, on each at the same time.
/// Example: `options.allow = OperatorsOnly([](auto& request, auto&) { return request.header("X-Key") == "a secret"; });`
class OperatorsOnly {
   public:
    using Allow = std::function<bool(http::Request const&, PeerAddress const&)>;

    OperatorsOnly() = default;
    explicit OperatorsOnly(Allow allow) : allow_(std::move(allow)) {}
    /// For a server whose port only operators can reach.
    static OperatorsOnly anybody() {
        return OperatorsOnly([](http::Request const&, PeerAddress const&) { return true; });
    }

    bool allows(http::Request const& request, PeerAddress const& peer) const {
        return allow_ ? allow_(request, peer) : http::is_local(request, peer);
    }
    /// What the others are told.
    std::optional<http::Refusal> refusal(http::Request const& request, PeerAddress const& peer) const {
        if (allows(request, peer)) return std::nullopt;
        return http::Refusal{http::Status::forbidden, allow_ ? "you may not see this" : "this page is for this machine only",
                             request.is_head()};
    }

   private:
    Allow allow_;
};

}  // namespace hubbub::inline v0
