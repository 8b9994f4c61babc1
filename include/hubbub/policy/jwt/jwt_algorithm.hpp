#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace hubbub::inline v0 {

/// How a token is signed (RFC 7518 3.1, RFC 8037 3.1). There is no `none`.
enum class JwtAlgorithm : std::uint8_t { hs256, hs384, hs512, rs256, ps256, es256, es384, eddsa };
inline constexpr std::size_t jwt_algorithms = 8;

/// What a key is. Each kind serves its own algorithms only: a public key is never taken for the secret of an HMAC.
enum class JwtKeyType : std::uint8_t { secret, rsa, rsa_pss, p256, p384, ed25519 };

/// As it stands in the `alg` of a header, with case.
constexpr std::string_view name_of(JwtAlgorithm algorithm) noexcept {
    constexpr std::string_view names[jwt_algorithms] = {"HS256", "HS384", "HS512", "RS256", "PS256", "ES256", "ES384", "EdDSA"};
    return names[static_cast<std::size_t>(algorithm)];
}
constexpr std::string_view name_of(JwtKeyType type) noexcept {
    constexpr std::string_view names[] = {"a secret", "RSA", "RSA-PSS", "P-256", "P-384", "Ed25519"};
    return names[static_cast<std::size_t>(type)];
}
constexpr std::optional<JwtAlgorithm> jwt_algorithm(std::string_view name) noexcept {
    for (std::size_t i = 0; i < jwt_algorithms; ++i)
        if (name_of(static_cast<JwtAlgorithm>(i)) == name) return static_cast<JwtAlgorithm>(i);
    return std::nullopt;
}
constexpr bool is_hmac(JwtAlgorithm algorithm) noexcept { return algorithm <= JwtAlgorithm::hs512; }

/// A key of that type may check such a signature. An RSA key serves RS256 and PS256, of which the program lists what it wants.
constexpr bool suits(JwtKeyType type, JwtAlgorithm algorithm) noexcept {
    switch (algorithm) {
        case JwtAlgorithm::hs256:
        case JwtAlgorithm::hs384:
        case JwtAlgorithm::hs512: return type == JwtKeyType::secret;
        case JwtAlgorithm::rs256: return type == JwtKeyType::rsa;
        case JwtAlgorithm::ps256: return type == JwtKeyType::rsa || type == JwtKeyType::rsa_pss;
        case JwtAlgorithm::es256: return type == JwtKeyType::p256;
        case JwtAlgorithm::es384: return type == JwtKeyType::p384;
        case JwtAlgorithm::eddsa: return type == JwtKeyType::ed25519;
    }
    return false;
}

/// The algorithms that a program accepts: `"ES256"`, or `{"ES256", "RS256"}`. Nothing that a token says adds one.
class JwtAlgorithms {
   public:
    constexpr JwtAlgorithms() = default;
    constexpr JwtAlgorithms(JwtAlgorithm one) : bits_(bit(one)) {}
    JwtAlgorithms(std::string_view name) { add(name); }
    JwtAlgorithms(char const* name) { add(name); }
    JwtAlgorithms(std::string const& name) { add(name); }
    JwtAlgorithms(std::initializer_list<std::string_view> names) {
        for (std::string_view const each : names) add(each);
    }

    constexpr bool has(JwtAlgorithm algorithm) const noexcept { return bits_ & bit(algorithm); }
    constexpr bool empty() const noexcept { return bits_ == 0; }
    /// All of them are HMACs, so that a key is a secret.
    constexpr bool are_hmacs() const noexcept { return bits_ && (bits_ & ~0b111u) == 0; }
    /// The first name that is none, for the sentence of who refuses it.
    std::string const& unknown() const noexcept { return unknown_; }

   private:
    static constexpr unsigned bit(JwtAlgorithm algorithm) noexcept { return 1u << static_cast<unsigned>(algorithm); }
    void add(std::string_view name) {
        if (auto const known = jwt_algorithm(name))
            bits_ |= bit(*known);
        else if (unknown_.empty())
            unknown_ = name.empty() ? "(empty)" : name;
    }

    unsigned bits_ = 0;
    std::string unknown_;
};

}  // namespace hubbub::inline v0
