#pragma once

#include <string>
#include <utility>

#include <hubbub/policy/authentication.hpp>

namespace hubbub::inline v0 {

/// The user is who the client's certificate names: its common name, or else its first alternative name. Who has shown none is
/// refused with 401. Needs `TlsOptions::clients`.
struct CertificateUser {
    void authenticate(http::Request const& request, PeerAddress const&, Verdict<Authenticated> verdict) {
        http::ClientCertificate const* const shown = request.certificate();
        if (!shown) return verdict.answer(Authenticated::refused(http::Status::unauthorized, "a client certificate is needed"));
        Identity who;
        who.user = shown->common_name;
        if (who.user.empty() && !shown->names.empty()) who.user = shown->names.front();
        if (who.user.empty())
            return verdict.answer(Authenticated::refused(http::Status::forbidden, "the certificate names nobody"));
        verdict.answer(Authenticated::as(std::move(who)));
    }
};
static_assert(Authentication<CertificateUser>);

}  // namespace hubbub::inline v0
