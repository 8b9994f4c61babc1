#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

#if OPENSSL_VERSION_NUMBER < 0x30000000L
#error "hubbub::tls needs OpenSSL 3.0 or later"
#endif

namespace hubbub::inline v0::detail {

/// Frees an object of OpenSSL with the function that is made for it.
template <auto function>
struct OpensslDeleter {
    void operator()(auto* object) const noexcept { function(object); }
};

using SslHandle = std::unique_ptr<SSL, OpensslDeleter<SSL_free>>;
using SslContextHandle = std::unique_ptr<SSL_CTX, OpensslDeleter<SSL_CTX_free>>;
using BioHandle = std::unique_ptr<BIO, OpensslDeleter<BIO_free_all>>;
using KeyHandle = std::unique_ptr<EVP_PKEY, OpensslDeleter<EVP_PKEY_free>>;
using CertificateHandle = std::unique_ptr<X509, OpensslDeleter<X509_free>>;
using GeneralNamesHandle = std::unique_ptr<GENERAL_NAMES, OpensslDeleter<GENERAL_NAMES_free>>;

/// What OpenSSL says of the newest failure on this thread; forgets all of them.
inline std::string take_openssl_reason() {
    unsigned long const error = ERR_peek_last_error();
    char const* const reason = error ? ERR_reason_error_string(error) : nullptr;
    ERR_clear_error();
    return reason ? reason : "no reason given";
}

}  // namespace hubbub::inline v0::detail
