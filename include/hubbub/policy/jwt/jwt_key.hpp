#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include <hubbub/policy/jwt/jwt_algorithm.hpp>

namespace hubbub::inline v0 {

namespace detail {
template <auto free>
struct OpensslFree {
    template <class T>
    void operator()(T* object) const noexcept {
        free(object);
    }
};
using EvpKey = std::unique_ptr<EVP_PKEY, OpensslFree<EVP_PKEY_free>>;

/// Failures within it leave no trace in the thread's queue of OpenSSL's errors, which is the host's.
class OpensslErrorScope {
   public:
    OpensslErrorScope() { ERR_set_mark(); }
    OpensslErrorScope(OpensslErrorScope const&) = delete;
    OpensslErrorScope& operator=(OpensslErrorScope const&) = delete;
    ~OpensslErrorScope() { ERR_pop_to_mark(); }
};

inline EVP_MD const* digest_of(JwtAlgorithm algorithm) noexcept {
    switch (algorithm) {
        case JwtAlgorithm::hs384:
        case JwtAlgorithm::es384: return EVP_sha384();
        case JwtAlgorithm::hs512: return EVP_sha512();
        case JwtAlgorithm::eddsa: return nullptr;  // Ed25519 has its own within
        default: return EVP_sha256();
    }
}
inline unsigned char const* octets(std::string_view bytes) noexcept {
    return reinterpret_cast<unsigned char const*>(bytes.data());
}
}  // namespace detail

/// One key that signatures are checked with: a secret of HMACs, or a public key. Immutable.
///
/// Threading: any number at once.
class JwtKey {
   public:
    static JwtKey secret(std::string bytes) { return JwtKey(JwtKeyType::secret, std::move(bytes), nullptr); }
    /// Nothing: it is of a kind or a curve that no algorithm here uses.
    static std::optional<JwtKey> of(detail::EvpKey key) {
        auto const type = type_of(*key);
        if (!type) return std::nullopt;
        return JwtKey(*type, {}, std::move(key));
    }

    JwtKeyType type() const noexcept { return type_; }
    /// The `kid`, or empty. Only ever compared.
    std::string id;
    /// The `alg` of a JWK: it serves no other (RFC 7517 4.4).
    std::optional<JwtAlgorithm> only;

    /// RFC 7518 3.2: an HMAC's secret is at least as long as its hash. Of other keys their makers saw to it.
    bool serves(JwtAlgorithm algorithm) const noexcept {
        if (!suits(type_, algorithm) || (only && *only != algorithm)) return false;
        return !is_hmac(algorithm) || secret_.size() >= least_secret(algorithm);
    }
    static constexpr std::size_t least_secret(JwtAlgorithm algorithm) noexcept {
        return algorithm == JwtAlgorithm::hs256 ? 32 : algorithm == JwtAlgorithm::hs384 ? 48 : 64;
    }
    /// Of an RSA key, in bits.
    int bits() const noexcept { return key_ ? EVP_PKEY_get_bits(key_.get()) : static_cast<int>(secret_.size() * 8); }

    /// Cost: HMAC a few microseconds, the others some ten to some hundred. Of an HMAC the time does not tell where it differs.
    bool verifies(JwtAlgorithm algorithm, std::string_view text, std::string_view signature) const noexcept;

   private:
    JwtKey(JwtKeyType type, std::string secret, std::shared_ptr<EVP_PKEY> key)
        : secret_(std::move(secret)), key_(std::move(key)), type_(type) {}
    static std::optional<JwtKeyType> type_of(EVP_PKEY const& key) noexcept;
    bool verifies_hmac(JwtAlgorithm algorithm, std::string_view text, std::string_view signature) const noexcept;
    /// RFC 7518 3.4: r and s behind each other, each as long as the curve's order, as the DER that OpenSSL wants; empty if not.
    static std::string der_of(std::string_view r_and_s, std::size_t size);

    std::string secret_;
    std::shared_ptr<EVP_PKEY> key_;
    JwtKeyType type_;
};

inline std::optional<JwtKeyType> JwtKey::type_of(EVP_PKEY const& key) noexcept {
    switch (EVP_PKEY_get_base_id(&key)) {
        case EVP_PKEY_RSA: return JwtKeyType::rsa;
        case EVP_PKEY_RSA_PSS: return JwtKeyType::rsa_pss;
        case EVP_PKEY_ED25519: return JwtKeyType::ed25519;
        case EVP_PKEY_EC: break;
        default: return std::nullopt;
    }
    char name[32];
    std::size_t size = 0;
    if (!EVP_PKEY_get_group_name(&key, name, sizeof name, &size)) return std::nullopt;
    if (std::string_view(name, size) == "prime256v1") return JwtKeyType::p256;
    if (std::string_view(name, size) == "secp384r1") return JwtKeyType::p384;
    return std::nullopt;
}

inline bool JwtKey::verifies(JwtAlgorithm algorithm, std::string_view text, std::string_view signature) const noexcept {
    if (!serves(algorithm)) return false;
    if (is_hmac(algorithm)) return verifies_hmac(algorithm, text, signature);
    detail::OpensslErrorScope const scope;
    std::string der;
    if (algorithm == JwtAlgorithm::es256 || algorithm == JwtAlgorithm::es384) {
        der = der_of(signature, algorithm == JwtAlgorithm::es256 ? 32 : 48);
        if (der.empty()) return false;
        signature = der;
    }
    std::unique_ptr<EVP_MD_CTX, detail::OpensslFree<EVP_MD_CTX_free>> const context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* parameters = nullptr;  // belongs to the context
    if (!context || EVP_DigestVerifyInit(context.get(), &parameters, detail::digest_of(algorithm), nullptr, key_.get()) != 1)
        return false;
    // RFC 7518 3.5: the salt is as long as the hash, which is MGF1's too.
    if (algorithm == JwtAlgorithm::ps256 && (EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) != 1 ||
                                             EVP_PKEY_CTX_set_rsa_mgf1_md(parameters, EVP_sha256()) != 1 ||
                                             EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) != 1))
        return false;
    return EVP_DigestVerify(context.get(), detail::octets(signature), signature.size(), detail::octets(text), text.size()) == 1;
}

inline bool JwtKey::verifies_hmac(JwtAlgorithm algorithm, std::string_view text, std::string_view signature) const noexcept {
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    detail::OpensslErrorScope const scope;
    if (!HMAC(detail::digest_of(algorithm), secret_.data(), static_cast<int>(secret_.size()), detail::octets(text), text.size(),
              mac, &size))
        return false;
    return signature.size() == size && CRYPTO_memcmp(mac, signature.data(), size) == 0;
}

inline std::string JwtKey::der_of(std::string_view r_and_s, std::size_t size) {
    if (r_and_s.size() != 2 * size) return {};
    std::unique_ptr<ECDSA_SIG, detail::OpensslFree<ECDSA_SIG_free>> const signature(ECDSA_SIG_new());
    BIGNUM* const r = BN_bin2bn(detail::octets(r_and_s), static_cast<int>(size), nullptr);
    BIGNUM* const s = BN_bin2bn(detail::octets(r_and_s) + size, static_cast<int>(size), nullptr);
    if (!signature || !r || !s || ECDSA_SIG_set0(signature.get(), r, s) != 1) {
        BN_free(r);
        BN_free(s);
        return {};
    }
    unsigned char* der = nullptr;
    int const length = i2d_ECDSA_SIG(signature.get(), &der);
    std::string result;
    if (length > 0) result.assign(reinterpret_cast<char const*>(der), static_cast<std::size_t>(length));
    OPENSSL_free(der);
    return result;
}

}  // namespace hubbub::inline v0
