#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <utility>

#include <hubbub/core/clock.hpp>
#include <hubbub/core/identity.hpp>
#include <hubbub/core/peer_address.hpp>
#include <hubbub/core/verdict.hpp>
#include <hubbub/http/request.hpp>
#include <hubbub/http/status.hpp>

namespace hubbub::inline v0 {

/// Who it is, or why not.
struct Authenticated {
    http::Status status = http::Status::switching_protocols;  ///< anything else refuses
    Identity identity;
    std::string reason;  ///< one short sentence for a refusal; no secrets
    /// How long the identity holds from when the hub hears of it: for who knows no loop's clock. Instead of `Identity::expires_at`.
    std::optional<Duration> expires_in{};
    std::string challenge{};         ///< of a refusal: the `WWW-Authenticate` that 401 wants (RFC 9110 11.6.1)
    std::string secret_parameter{};  ///< of the query: nobody who sees the request later sees its value

    static Authenticated as(Identity who) { return {http::Status::switching_protocols, std::move(who), {}, {}, {}, {}}; }
    static Authenticated refused(http::Status status, std::string reason) {
        return {status, {}, std::move(reason), {}, {}, {}};
    }
    /// The identity on a loop's clock, on which it is `now`.
    Identity identity_at(TimePoint now) const {
        Identity result = identity;
        if (expires_in) result.expires_at = now + *expires_in;
        return result;
    }
    static Authenticated unanswered() { return refused(http::Status::internal_server_error, "authentication gave no answer"); }
};

/// Decides who may connect, before the upgrade. It exists so that a stranger costs no session.
///
/// Exemplar:
///     struct AuthenticationExemplar {
///         void authenticate(hubbub::http::Request const&, hubbub::PeerAddress const&, hubbub::Verdict<hubbub::Authenticated>);
///     };
///
/// Required behaviour:
/// - Called on the loop that accepted the connection; each shard has an instance of its own.
/// - The verdict is answered once: at once, or later on any thread. The deadline of the handshake goes on.
/// - The request is borrowed until the call returns.
///
/// Models: AcceptAnyone, CertificateUser, JwtAuth.
template <class T>
concept Authentication = std::copy_constructible<T> && requires(T& policy, http::Request const& request,
                                                                PeerAddress const& address, Verdict<Authenticated> verdict) {
    policy.authenticate(request, address, std::move(verdict));
};

/// Everybody may connect, as nobody in particular.
struct AcceptAnyone {
    static constexpr bool always = true;  ///< need not be asked
    void authenticate(http::Request const&, PeerAddress const&, Verdict<Authenticated> verdict) {
        verdict.answer(Authenticated::as({}));
    }
};
static_assert(Authentication<AcceptAnyone>);

}  // namespace hubbub::inline v0
