#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <hubbub/policy/jwt/base64url.hpp>
#include <hubbub/policy/jwt/jwt_algorithm.hpp>
#include <hubbub/policy/jwt/jwt_key.hpp>

/// Makes keys and signs tokens, which the library itself does not.
namespace jwt_maker {

using namespace hubbub;

/// A pair of keys, or a secret.
class Maker {
   public:
    /// "RSA" with bits, "EC" with a curve, "ED25519".
    static Maker rsa(unsigned bits = 2048) { return Maker(EVP_RSA_gen(bits)); }
    static Maker ec(char const* curve) { return Maker(EVP_EC_gen(curve)); }
    static Maker ed25519() { return Maker(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")); }
    static Maker secret(std::string bytes) {
        Maker maker(nullptr);
        maker.secret_ = std::move(bytes);
        return maker;
    }
    /// Of the right kind for an algorithm; one for the whole program, because RSA takes long to make.
    static Maker const& of(JwtAlgorithm algorithm) {
        static Maker const rsa_key = rsa(), p256 = ec("P-256"), p384 = ec("P-384"), edwards = ed25519(),
                           shared = secret("a secret that is long enough for the largest of the hashes, SHA-512");
        switch (algorithm) {
            case JwtAlgorithm::rs256:
            case JwtAlgorithm::ps256: return rsa_key;
            case JwtAlgorithm::es256: return p256;
            case JwtAlgorithm::es384: return p384;
            case JwtAlgorithm::eddsa: return edwards;
            default: return shared;
        }
    }

    std::string const& secret_bytes() const { return secret_; }
    /// The public key in PEM, or the secret.
    std::string pem() const {
        if (!key_) return secret_;
        std::unique_ptr<BIO, hubbub::detail::OpensslFree<BIO_free_all>> const bio(BIO_new(BIO_s_mem()));
        PEM_write_bio_PUBKEY(bio.get(), key_.get());
        return text_of(bio.get());
    }
    std::string private_pem() const {
        std::unique_ptr<BIO, hubbub::detail::OpensslFree<BIO_free_all>> const bio(BIO_new(BIO_s_mem()));
        PEM_write_bio_PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
        return text_of(bio.get());
    }

    std::string sign(JwtAlgorithm algorithm, std::string_view text) const;
    /// Header and claims as they are given, whatever they say, with a signature of that algorithm.
    std::string token_of(JwtAlgorithm algorithm, std::string_view header, std::string_view claims) const {
        std::string const text = encode_base64url(header) + "." + encode_base64url(claims);
        return text + "." + encode_base64url(sign(algorithm, text));
    }
    std::string token(JwtAlgorithm algorithm, std::string_view claims) const {
        return token_of(algorithm, R"({"alg":")" + std::string(name_of(algorithm)) + R"(","typ":"JWT"})", claims);
    }

   private:
    explicit Maker(EVP_PKEY* key) : key_(key) {}
    static std::string text_of(BIO* bio) {
        char* bytes = nullptr;
        long const size = BIO_get_mem_data(bio, &bytes);
        return std::string(bytes, static_cast<std::size_t>(size));
    }

    hubbub::detail::EvpKey key_;
    std::string secret_;
};

inline std::string Maker::sign(JwtAlgorithm algorithm, std::string_view text) const {
    using hubbub::detail::octets;
    EVP_MD const* const digest = hubbub::detail::digest_of(algorithm);
    std::string result(EVP_MAX_MD_SIZE, '\0');
    auto* const out = reinterpret_cast<unsigned char*>(result.data());
    if (!key_) {
        unsigned size = 0;
        HMAC(digest, secret_.data(), static_cast<int>(secret_.size()), octets(text), text.size(), out, &size);
        result.resize(size);
        return result;
    }
    std::unique_ptr<EVP_MD_CTX, hubbub::detail::OpensslFree<EVP_MD_CTX_free>> const context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* parameters = nullptr;
    EVP_DigestSignInit(context.get(), &parameters, digest, nullptr, key_.get());
    if (algorithm == JwtAlgorithm::ps256) {
        EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST);
    }
    std::size_t size = 0;
    EVP_DigestSign(context.get(), nullptr, &size, octets(text), text.size());
    result.assign(size, '\0');
    EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(result.data()), &size, octets(text), text.size());
    result.resize(size);
    if (algorithm != JwtAlgorithm::es256 && algorithm != JwtAlgorithm::es384) return result;
    unsigned char const* der = octets(result);
    ECDSA_SIG* const pair = d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(size));
    int const half = algorithm == JwtAlgorithm::es256 ? 32 : 48;
    std::string r_and_s(2 * static_cast<std::size_t>(half), '\0');
    auto* const bytes = reinterpret_cast<unsigned char*>(r_and_s.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(pair), bytes, half);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair), bytes + half, half);
    ECDSA_SIG_free(pair);
    return r_and_s;
}

}  // namespace jwt_maker
