#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <hubbub/policy/jwt/base64url.hpp>
#include <hubbub/policy/jwt/jwt_json.hpp>
#include <hubbub/policy/jwt/jwt_key.hpp>

namespace hubbub::inline v0 {

/// The keys of a text, or a sentence that says what is wrong with it and has nothing of it but a `kid`.
struct JwtKeyText {
    std::vector<JwtKey> keys{};
    std::string problem{};  ///< empty: there is at least one key
};

namespace detail {

inline constexpr int least_rsa_bits = 2048, most_rsa_bits = 8192;
inline constexpr std::size_t most_jwt_keys = 64;

/// A key, or why it is none; `unknown` if it is of a kind that a set of keys may have beside those for us (RFC 7517 5).
struct JwtKeyOrProblem {
    std::optional<JwtKey> key{};
    std::string problem{};
    bool unknown = false;
};

inline JwtKeyOrProblem checked(EvpKey key) {
    if (!key) return {{}, "is none that OpenSSL can read", false};
    auto known = JwtKey::of(std::move(key));
    if (!known) return {{}, "is of a kind or a curve that is not supported (RSA, P-256, P-384, Ed25519 are)", true};
    bool const is_rsa = known->type() == JwtKeyType::rsa || known->type() == JwtKeyType::rsa_pss;
    if (is_rsa && (known->bits() < least_rsa_bits || known->bits() > most_rsa_bits))
        return {{}, "is an RSA key of " + std::to_string(known->bits()) + " bits; it must have 2048 to 8192", false};
    return {std::move(known), {}, false};
}

/// RFC 7518 6, RFC 8037 2: a public key from its numbers.
inline EvpKey make_key(char const* type, OSSL_PARAM_BLD* parts) {
    std::unique_ptr<OSSL_PARAM, OpensslFree<OSSL_PARAM_free>> const parameters(OSSL_PARAM_BLD_to_param(parts));
    std::unique_ptr<EVP_PKEY_CTX, OpensslFree<EVP_PKEY_CTX_free>> context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* made = nullptr;
    if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
        return nullptr;
    EvpKey key(made);
    context.reset(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
    return context && EVP_PKEY_public_check(context.get()) == 1 ? std::move(key) : nullptr;
}
using ParamBuilder = std::unique_ptr<OSSL_PARAM_BLD, OpensslFree<OSSL_PARAM_BLD_free>>;
using BigNumber = std::unique_ptr<BIGNUM, OpensslFree<BN_free>>;

inline std::optional<std::string> octets_member(nlohmann::json const& jwk, char const* name) {
    std::string const* const text = string_member(jwk, name);
    return text ? decode_base64url(*text) : std::nullopt;
}

inline JwtKeyOrProblem rsa_of(nlohmann::json const& jwk) {
    auto const n = octets_member(jwk, "n"), e = octets_member(jwk, "e");
    if (!n || !e || n->size() > most_rsa_bits / 8 + 1 || e->size() > 8) return {{}, "has no right n and e", false};
    BigNumber const modulus(BN_bin2bn(octets(*n), static_cast<int>(n->size()), nullptr));
    BigNumber const exponent(BN_bin2bn(octets(*e), static_cast<int>(e->size()), nullptr));
    if (!modulus || !exponent || !BN_is_odd(modulus.get()) || !BN_is_odd(exponent.get()) || BN_is_one(exponent.get()))
        return {{}, "has no right n and e", false};
    if (int const bits = BN_num_bits(modulus.get()); bits < least_rsa_bits)
        return {{}, "is an RSA key of " + std::to_string(bits) + " bits; it must have 2048 to 8192", false};
    ParamBuilder const parts(OSSL_PARAM_BLD_new());
    OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
    OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
    return checked(make_key("RSA", parts.get()));
}

inline JwtKeyOrProblem ec_of(nlohmann::json const& jwk) {
    std::string const* const curve = string_member(jwk, "crv");
    bool const is_p256 = curve && *curve == "P-256", is_p384 = curve && *curve == "P-384";
    if (!is_p256 && !is_p384) return {{}, "has another curve than P-256 and P-384", true};
    // RFC 7518 6.2.1.2: as long as the curve's field, zeros in front included.
    std::size_t const size = is_p256 ? 32 : 48;
    auto const x = octets_member(jwk, "x"), y = octets_member(jwk, "y");
    if (!x || !y || x->size() != size || y->size() != size) return {{}, "has no right x and y", false};
    std::string const point = '\4' + *x + *y;
    ParamBuilder const parts(OSSL_PARAM_BLD_new());
    OSSL_PARAM_BLD_push_utf8_string(parts.get(), OSSL_PKEY_PARAM_GROUP_NAME, is_p256 ? "prime256v1" : "secp384r1", 0);
    OSSL_PARAM_BLD_push_octet_string(parts.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
    return checked(make_key("EC", parts.get()));
}

inline JwtKeyOrProblem okp_of(nlohmann::json const& jwk) {
    std::string const* const curve = string_member(jwk, "crv");
    if (!curve || *curve != "Ed25519") return {{}, "has another curve than Ed25519", true};
    auto const x = octets_member(jwk, "x");
    if (!x || x->size() != 32) return {{}, "has no right x", false};
    return checked(EvpKey(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets(*x), x->size())));
}

inline JwtKeyOrProblem oct_of(nlohmann::json const& jwk) {
    auto k = octets_member(jwk, "k");
    if (!k || k->size() < JwtKey::least_secret(JwtAlgorithm::hs256) || k->size() > 4096)
        return {{}, "has no right k; a secret has 32 to 4096 bytes", false};
    return {JwtKey::secret(std::move(*k)), {}, false};
}

/// RFC 7517 4.2, 4.3: what it is for, where that is said.
inline bool is_for_signatures(nlohmann::json const& jwk) {
    if (jwk.contains("use") && jwk["use"] != "sig") return false;
    auto const operations = jwk.find("key_ops");
    if (operations == jwk.end()) return true;
    if (!operations->is_array()) return false;
    for (auto const& each : *operations)
        if (each == "verify") return true;
    return false;
}

inline JwtKeyOrProblem key_of_jwk(nlohmann::json const& jwk) {
    if (!jwk.is_object()) return {{}, "is no object", false};
    std::string const* const type = string_member(jwk, "kty");
    if (!type) return {{}, "has no kty", false};
    bool const is_secret = *type == "oct";
    if (!is_secret && jwk.contains("d"))
        return {{}, "is a private key; who checks tokens has the public one and no other", false};
    if (!is_for_signatures(jwk)) return {{}, "is not for signatures (use, key_ops)", true};
    std::optional<JwtAlgorithm> only;
    if (jwk.contains("alg")) {
        std::string const* const name = string_member(jwk, "alg");
        only = name ? jwt_algorithm(*name) : std::nullopt;
        if (!only) return {{}, "has an alg that is not supported", true};
    }
    JwtKeyOrProblem result{{}, "has a kty that is not supported", true};
    if (is_secret) result = oct_of(jwk);
    if (*type == "RSA") result = rsa_of(jwk);
    if (*type == "EC") result = ec_of(jwk);
    if (*type == "OKP") result = okp_of(jwk);
    if (!result.key) return result;
    if (only && !suits(result.key->type(), *only)) return {{}, "has an alg that its kty does not fit", false};
    result.key->only = only;
    if (std::string const* const id = string_member(jwk, "kid")) result.key->id = *id;
    return result;
}

inline JwtKeyText keys_of_json(std::string_view text) {
    auto const document = parse_jwt_json(text);
    if (!document) return {{}, "the text begins as JSON, and is no JSON object"};
    auto const set = document->find("keys");
    if (set == document->end()) {
        auto one = key_of_jwk(*document);
        if (!one.key) return {{}, "the JWK " + one.problem};
        return {{std::move(*one.key)}, {}};
    }
    JwtKeyText result;
    if (!set->is_array()) return {{}, "the keys of the JWKS are no array"};
    if (set->size() > most_jwt_keys) return {{}, "the JWKS has more than 64 keys"};
    for (std::size_t i = 0; i < set->size(); ++i) {
        auto each = key_of_jwk((*set)[i]);
        if (each.key)
            result.keys.push_back(std::move(*each.key));
        else if (!each.unknown)  // RFC 7517 5: keys for others are passed over; what is wrong is not
            return {{}, "the JWKS's key number " + std::to_string(i + 1) + " " + each.problem};
    }
    if (result.keys.empty()) result.problem = "the JWKS has no key that can be used";
    return result;
}

inline JwtKeyOrProblem key_of_pem(std::string_view block, std::string_view label) {
    if (label.find("PRIVATE KEY") != std::string_view::npos)
        return {{}, "is a private key; who checks tokens has the public one and no other", false};
    std::unique_ptr<BIO, OpensslFree<BIO_free_all>> const bio(BIO_new_mem_buf(block.data(), static_cast<int>(block.size())));
    if (!bio) return {{}, "could not be read", false};
    if (label == "CERTIFICATE") {
        std::unique_ptr<X509, OpensslFree<X509_free>> const certificate(
            PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
        return checked(EvpKey(certificate ? X509_get_pubkey(certificate.get()) : nullptr));
    }
    // Without a question for a password on the terminal.
    auto const no_password = [](char*, int, int, void*) { return -1; };
    return checked(EvpKey(PEM_read_bio_PUBKEY(bio.get(), nullptr, no_password, nullptr)));
}

inline JwtKeyText keys_of_pem(std::string_view text) {
    static constexpr std::string_view begin = "-----BEGIN ", dashes = "-----";
    JwtKeyText result;
    while (true) {
        std::size_t const at = text.find(begin);
        if (at == std::string_view::npos) break;
        text.remove_prefix(at);
        std::size_t const label_end = text.find(dashes, begin.size());
        if (label_end == std::string_view::npos) return {{}, "the PEM has no whole first line"};
        std::string const label(text.substr(begin.size(), label_end - begin.size()));
        std::string const last = "-----END " + label + "-----";
        std::size_t const end = text.find(last);
        if (end == std::string_view::npos) return {{}, "the PEM has no END line"};
        if (result.keys.size() == most_jwt_keys) return {{}, "the PEM has more than 64 keys"};
        auto each = key_of_pem(text.substr(0, end + last.size()), label);
        if (!each.key) return {{}, "the PEM's key number " + std::to_string(result.keys.size() + 1) + " " + each.problem};
        result.keys.push_back(std::move(*each.key));
        text.remove_prefix(end + last.size());
    }
    return result;
}

}  // namespace detail

/// Reads public keys in PEM (`PUBLIC KEY`, `RSA PUBLIC KEY`, `CERTIFICATE`; several may follow each other), a JWK, or a JWKS
/// (RFC 7517). A certificate is taken for its key; its dates and issuer are not looked at.
inline JwtKeyText read_jwt_keys(std::string_view text) {
    constexpr std::size_t most = 1u << 20;
    if (text.size() > most) return {{}, "the text is larger than 1 MiB"};
    detail::OpensslErrorScope const scope;
    std::size_t const first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {{}, "the text is empty"};
    if (text[first] == '{') return detail::keys_of_json(text.substr(first));
    if (text.find("-----BEGIN ") != std::string_view::npos) return detail::keys_of_pem(text);
    return {{}, "the text is neither PEM nor a JWK nor a JWKS"};
}

}  // namespace hubbub::inline v0
