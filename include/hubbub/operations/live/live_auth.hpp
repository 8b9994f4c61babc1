#pragma once

#include <optional>
#include <utility>

#include <hubbub/http/operators_only.hpp>
#include <hubbub/policy/authentication.hpp>

namespace hubbub::inline v0 {

/// Lets operators in to the feed of the live page. Who may act has the label `acts`.
class LiveAuth {
   public:
    struct Options {
        http::OperatorsOnly allow{};
        std::optional<http::OperatorsOnly> act{};
    };
    static constexpr char const* acts = "acts";

    explicit LiveAuth(Options options) : options_(std::move(options)) {}

    void authenticate(http::Request const& request, PeerAddress const& peer, Verdict<Authenticated> verdict) {
        if (auto const refusal = options_.allow.refusal(request, peer))
            return verdict.answer(Authenticated::refused(refusal->status, std::string(refusal->reason)));
        Identity who;
        if (options_.act && options_.act->allows(request, peer)) who.labels.emplace_back(acts);
        verdict.answer(Authenticated::as(std::move(who)));
    }

   private:
    Options options_;
};
static_assert(Authentication<LiveAuth>);

}  // namespace hubbub::inline v0
