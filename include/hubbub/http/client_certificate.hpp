#pragma once

#include <string>
#include <vector>

namespace hubbub::inline v0::http {

/// What a client has shown of itself with TLS. It was checked: signed by an authority of `TlsOptions::client_authorities`, and not
/// out of date.
struct ClientCertificate {
    std::string subject;               ///< as RFC 2253 writes it: "CN=anna,O=Example"
    std::string common_name;           ///< of the subject; empty if there is none
    std::vector<std::string> names{};  ///< alternative names: "DNS:a.example", "email:a@example", "URI:spiffe://example/a"
    std::string fingerprint;           ///< SHA-256 of the whole, in small hexadecimal digits
};

}  // namespace hubbub::inline v0::http
