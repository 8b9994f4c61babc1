#pragma once

#include <cstdint>

namespace hubbub::inline v0 {

/// What became of the handshakes of a TlsContext.
struct TlsCounts {
    std::uint64_t handshakes = 0;  ///< that succeeded
    std::uint64_t resumed = 0;     ///< of those, the ones with a ticket of an earlier connection
    std::uint64_t failed = 0;      ///< refused by either side: no common version or cipher, a bad certificate, garbage
    std::uint64_t not_tls = 0;     ///< of those, the ones that did not begin like TLS: plain HTTP on this port
    std::uint64_t abandoned = 0;   ///< the client went before it was done
    std::uint64_t reloads = 0;     ///< of certificates
    std::uint64_t keys_taken =
        0;  ///< of the handshakes, the ones whose records are sealed here and not by OpenSSL, which costs more
};

}  // namespace hubbub::inline v0
