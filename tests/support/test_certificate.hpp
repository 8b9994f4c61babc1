// Certificates for tests, made while they run.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace hubbub_test {

/// A certificate with its key, as PEM text.
struct TestCertificate {
    struct Wish {
        std::string common_name = "localhost";
        std::string names = "DNS:localhost";      ///< subjectAltName as OpenSSL writes it; empty: none
        TestCertificate const* issuer = nullptr;  ///< null: it signs itself
        bool is_authority = false;
        long seconds = 86400;  ///< of validity from now on; negative: it has expired
    };

    std::string certificate, key;

    static TestCertificate make() { return make(Wish{}); }
    static TestCertificate make(Wish const& wish);

   private:
    static void check(bool succeeded) {
        if (!succeeded) throw std::runtime_error("a certificate for a test could not be made");
    }
    static void add_extension(X509* to, X509* issuer, int id, std::string const& value) {
        X509V3_CTX context;
        X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
        X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
        check(extension && X509_add_ext(to, extension, -1) == 1);
        X509_EXTENSION_free(extension);
    }
    template <class Write>
    static std::string to_text(Write write) {
        std::unique_ptr<BIO, int (*)(BIO*)> const bio(BIO_new(BIO_s_mem()), BIO_free);
        check(write(bio.get()) == 1);
        char* bytes = nullptr;
        long const size = BIO_get_mem_data(bio.get(), &bytes);
        return {bytes, static_cast<std::size_t>(size)};
    }
};

inline TestCertificate TestCertificate::make(Wish const& wish) {
    using Key = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
    using Certificate = std::unique_ptr<X509, void (*)(X509*)>;
    static long serial = 1;
    Key const key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    Certificate const certificate(X509_new(), X509_free);
    Key signer(nullptr, EVP_PKEY_free);
    Certificate issuer(nullptr, X509_free);
    if (wish.issuer) {
        BIO* bio = BIO_new_mem_buf(wish.issuer->key.data(), static_cast<int>(wish.issuer->key.size()));
        signer.reset(PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr));
        BIO_free(bio);
        bio = BIO_new_mem_buf(wish.issuer->certificate.data(), static_cast<int>(wish.issuer->certificate.size()));
        issuer.reset(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr));
        BIO_free(bio);
    }
    check(key && certificate);
    X509* const it = certificate.get();
    X509_set_version(it, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(it), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(it), -86400);
    X509_gmtime_adj(X509_getm_notAfter(it), wish.seconds);
    auto const* name = reinterpret_cast<unsigned char const*>(wish.common_name.c_str());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(it), "CN", MBSTRING_UTF8, name, -1, -1, 0);
    X509_set_issuer_name(it, X509_get_subject_name(issuer ? issuer.get() : it));
    X509_set_pubkey(it, key.get());
    add_extension(it, issuer ? issuer.get() : it, NID_basic_constraints, wish.is_authority ? "critical,CA:TRUE" : "CA:FALSE");
    if (!wish.names.empty()) add_extension(it, it, NID_subject_alt_name, wish.names);
    check(X509_sign(it, signer ? signer.get() : key.get(), EVP_sha256()) > 0);
    return {to_text([&](BIO* bio) { return PEM_write_bio_X509(bio, it); }),
            to_text([&](BIO* bio) { return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr); })};
}

}  // namespace hubbub_test
