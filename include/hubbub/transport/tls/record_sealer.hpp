#pragma once

#include <linux/tls.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>

#include <hubbub/transport/tls/openssl_handles.hpp>

namespace hubbub::inline v0::detail {

/// OpenSSL's ciphers for the records of one loop. Each is given the keys of a connection for one record, and then those of another.
class RecordCiphers {
   public:
    enum class Kind : std::uint8_t { none, aes_128_gcm, aes_256_gcm, chacha20_poly1305 };

    /// Null: this OpenSSL does not have it, or there is no memory.
    EVP_CIPHER_CTX* get(Kind kind) noexcept {
        auto& made = made_[static_cast<std::size_t>(kind) - 1];
        if (!made) {
            constexpr char const* names[] = {"AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305"};
            std::unique_ptr<EVP_CIPHER, OpensslDeleter<EVP_CIPHER_free>> const cipher(
                EVP_CIPHER_fetch(nullptr, names[static_cast<std::size_t>(kind) - 1], nullptr));
            made.reset(EVP_CIPHER_CTX_new());
            if (!cipher || !made || EVP_EncryptInit_ex(made.get(), cipher.get(), nullptr, nullptr, nullptr) != 1) made.reset();
        }
        return made.get();
    }

   private:
    std::array<std::unique_ptr<EVP_CIPHER_CTX, OpensslDeleter<EVP_CIPHER_CTX_free>>, 3> made_;
};

/// Seals the records of one direction of a TLS 1.3 connection (RFC 8446 5.2), with keys that OpenSSL hands over as it would to a kernel.
///
/// OpenSSL's own way to a record goes through state that is spread over many cache lines of a connection, which with a thousand of them
/// are in no cache. This is one line, and a cipher that all share and that is given the key each time (docs/decisions/0014).
class RecordSealer {
   public:
    static constexpr std::size_t header = 5, trailer = 1 + 16;  // the type within; the tag of each cipher here
    static constexpr std::size_t most = 16 * 1024;              // of plaintext in a record (RFC 8446 5.1)

    RecordSealer() = default;
    RecordSealer(RecordSealer const&) = delete;
    RecordSealer& operator=(RecordSealer const&) = delete;
    ~RecordSealer() { give_back(); }

    /// False: it is no TLS 1.3, or a cipher that is not known here, and OpenSSL goes on sealing.
    bool take(tls_crypto_info const& info, RecordCiphers& ciphers) noexcept {
        using Kind = RecordCiphers::Kind;
        give_back();
        if (info.version != TLS_1_3_VERSION) return false;
        switch (info.cipher_type) {
            case TLS_CIPHER_AES_GCM_128: return take<tls12_crypto_info_aes_gcm_128>(info, ciphers, Kind::aes_128_gcm);
            case TLS_CIPHER_AES_GCM_256: return take<tls12_crypto_info_aes_gcm_256>(info, ciphers, Kind::aes_256_gcm);
            case TLS_CIPHER_CHACHA20_POLY1305:
                return take<tls12_crypto_info_chacha20_poly1305>(info, ciphers, Kind::chacha20_poly1305);
            default: return false;
        }
    }
    /// OpenSSL seals what follows.
    void give_back() noexcept {
        kind_ = RecordCiphers::Kind::none;
        OPENSSL_cleanse(key_, sizeof key_);
    }
    bool is_active() const noexcept { return kind_ != RecordCiphers::Kind::none; }

    /// `record` is room for a header, plaintext that is there already, and a trailer. False: OpenSSL has failed.
    bool seal(RecordCiphers& ciphers, std::uint8_t type, std::span<std::byte> record) noexcept {
        auto* const bytes = reinterpret_cast<unsigned char*>(record.data());
        std::size_t const body = record.size() - header, inner = body - trailer + 1;
        unsigned char const head[header] = {23, 3, 3, static_cast<unsigned char>(body >> 8),
                                            static_cast<unsigned char>(body & 255)};
        std::memcpy(bytes, head, header);
        bytes[header + inner - 1] = type;
        // RFC 8446 5.3: the number of the record, in network order and from the left with zeros, over the IV.
        unsigned char nonce[sizeof iv_];
        std::memcpy(nonce, iv_, sizeof nonce);
        for (std::size_t i = 0; i < 8; ++i) nonce[sizeof nonce - 1 - i] ^= static_cast<unsigned char>(number_ >> (8 * i));
        ++number_;
        EVP_CIPHER_CTX* const cipher = ciphers.get(kind_);
        int size = 0;
        return cipher && EVP_EncryptInit_ex(cipher, nullptr, nullptr, key_, nonce) == 1 &&
               EVP_EncryptUpdate(cipher, nullptr, &size, bytes, header) == 1 &&
               EVP_EncryptUpdate(cipher, bytes + header, &size, bytes + header, static_cast<int>(inner)) == 1 &&
               EVP_EncryptFinal_ex(cipher, bytes + header + inner, &size) == 1 &&
               EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, trailer - 1, bytes + header + inner) == 1;
    }

   private:
    template <class Keys>
    bool take(tls_crypto_info const& info, RecordCiphers& ciphers, RecordCiphers::Kind kind) noexcept {
        if (!ciphers.get(kind)) return false;
        Keys keys;
        std::memcpy(&keys, &info, sizeof keys);  // what `info` begins
        constexpr std::size_t salt = sizeof iv_ - sizeof keys.iv;
        if constexpr (salt > 0) std::memcpy(iv_, keys.salt, salt);
        std::memcpy(iv_ + salt, keys.iv, sizeof keys.iv);
        std::memcpy(key_, keys.key, sizeof keys.key);
        number_ = 0;
        for (unsigned char const each : keys.rec_seq) number_ = number_ << 8 | each;
        OPENSSL_cleanse(&keys, sizeof keys);
        kind_ = kind;
        return true;
    }

    std::uint64_t number_ = 0;  // of the next record
    unsigned char key_[32] = {};
    unsigned char iv_[12] = {};
    RecordCiphers::Kind kind_ = RecordCiphers::Kind::none;
};

}  // namespace hubbub::inline v0::detail
