#include <stdexcept>

#include <hubbub/transport/tls/tls_context.hpp>

// HUBBUB_HAS_TLS is what gives a server its TLS.
#ifndef HUBBUB_HAS_TLS
#error "hubbub::tls says that it is there"
#endif

bool tls_works();
bool tls_works() {
    try {
        hubbub::TlsContext const context({.certificate = "-----BEGIN nothing"});
    } catch (std::invalid_argument const&) {  // what was linked looks into the text
        return true;
    }
    return false;
}
