#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <hubbub/http/client_certificate.hpp>
#include <hubbub/transport/tls/openssl_handles.hpp>

namespace hubbub::inline v0::detail {

inline std::string to_string(ASN1_STRING const* text) {
    return {reinterpret_cast<char const*>(ASN1_STRING_get0_data(text)), static_cast<std::size_t>(ASN1_STRING_length(text))};
}

/// What the client has shown and was found good; null if there is nothing. A resumed session remembers it.
inline std::shared_ptr<http::ClientCertificate const> tls_peer(SSL* ssl) {
    X509* const shown = ssl && SSL_get_verify_result(ssl) == X509_V_OK ? SSL_get0_peer_certificate(ssl) : nullptr;
    if (!shown) return nullptr;
    auto result = std::make_shared<http::ClientCertificate>();
    X509_NAME const* const subject = X509_get_subject_name(shown);
    BioHandle const text(BIO_new(BIO_s_mem()));
    char* bytes = nullptr;
    (void)X509_NAME_print_ex(text.get(), subject, 0, XN_FLAG_RFC2253);
    if (long const size = BIO_get_mem_data(text.get(), &bytes); size > 0)
        result->subject.assign(bytes, static_cast<std::size_t>(size));
    if (int const at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1); at >= 0)
        result->common_name = to_string(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    GeneralNamesHandle const names(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(shown, NID_subject_alt_name, nullptr, nullptr)));
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
        GENERAL_NAME const* const name = sk_GENERAL_NAME_value(names.get(), i);
        if (name->type == GEN_DNS) result->names.push_back("DNS:" + to_string(name->d.dNSName));
        if (name->type == GEN_EMAIL) result->names.push_back("email:" + to_string(name->d.rfc822Name));
        if (name->type == GEN_URI) result->names.push_back("URI:" + to_string(name->d.uniformResourceIdentifier));
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned size = 0;
    (void)X509_digest(shown, EVP_sha256(), digest.data(), &size);
    for (unsigned i = 0; i < size; ++i) {
        constexpr std::string_view digits = "0123456789abcdef";
        result->fingerprint += digits[digest[i] >> 4];
        result->fingerprint += digits[digest[i] & 15];
    }
    return result;
}

}  // namespace hubbub::inline v0::detail
