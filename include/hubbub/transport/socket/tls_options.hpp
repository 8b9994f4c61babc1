#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <hubbub/core/peer_address.hpp>

namespace hubbub::inline v0 {

/// A certificate and its key, each the path of a file or the PEM text itself.
struct TlsCertificate {
    std::string certificate{};  ///< the server's own first, then those that signed it
    std::string key{};
    std::string password{};  ///< of the key, if it is encrypted
};

/// The oldest version of TLS that is spoken.
enum class TlsVersion : std::uint8_t { tls12, tls13 };

/// Whether clients are asked for a certificate. What they show is in `http::Request::certificate()`.
enum class TlsClients : std::uint8_t {
    anonymous,  ///< not asked
    may_show,   ///< asked; who shows none is welcome, who shows a bad one is not
    must_show,  ///< who shows none is refused by TLS
};

/// What TLS is like: see TlsContext. This header knows nothing of OpenSSL, so that a server has the options where it is not linked.
struct TlsOptions {
    std::string certificate{};  ///< path or PEM text; the server's own first, then those that signed it. Empty: no TLS
    std::string key{};          ///< path or PEM text
    std::string password{};     ///< of the key, if it is encrypted
    /// Further ones, for clients that name one of their hosts (SNI). Who names none that is known gets the first.
    std::vector<TlsCertificate> more{};

    TlsClients clients = TlsClients::anonymous;
    std::string client_authorities{};  ///< path or PEM text: who signs certificates of clients

    TlsVersion least = TlsVersion::tls12;
    /// As `openssl ciphers` takes it; of TLS 1.2.
    std::string ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL";
    /// Of TLS 1.3; the first that a client has, but ChaCha20 if it is a client's first choice: it has no AES in hardware.
    std::string suites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

    /// How long a client may come back without a whole handshake; 0: never. The key of its ticket is replaced as often.
    std::chrono::seconds resumption = std::chrono::hours(12);

    /// Told of each handshake that failed, on the loop of that connection: do little in it.
    std::function<void(PeerAddress const& peer, std::string_view why)> on_failure{};
};

}  // namespace hubbub::inline v0
