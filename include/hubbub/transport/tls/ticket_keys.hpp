#pragma once

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <mutex>
#include <vector>

#include <hubbub/transport/tls/openssl_handles.hpp>

namespace hubbub::inline v0::detail {

/// The keys that seal what a client needs to resume (RFC 5077 4, RFC 8446 4.6.1): one that is used, and older ones that still open.
/// All shards share them, and they outlive a reload of certificates.
///
/// Threading: any; a lock for the time of a copy, in handshakes only.
class TicketKeys {
   public:
    using Clock = std::chrono::steady_clock;

    /// A key seals for so long, and opens for as long again.
    void set_lifetime(std::chrono::seconds lifetime) {
        std::lock_guard const lock(mutex_);
        lifetime_ = lifetime;
    }
    /// The next ticket is sealed with a fresh key; tickets that are out can still be opened.
    void replace() {
        std::lock_guard const lock(mutex_);
        make_key(Clock::now());
    }

    /// What SSL_CTX_set_tlsext_ticket_key_evp_cb wants: 1 for yes, 2 for yes and a new ticket, 0 for no, -1 for an error.
    int prepare(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, bool seals) {
        Key key;
        bool is_newest = true;
        if (seals) {
            if (!newest(key) || RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1) return -1;
            std::copy(key.name.begin(), key.name.end(), name);
        } else if (!find(name, key, is_newest)) {
            return 0;
        }
        std::array params{OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
                          OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>("SHA256"), 0),
                          OSSL_PARAM_construct_end()};
        bool const done = EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv, seals ? 1 : 0) == 1 &&
                          EVP_MAC_CTX_set_params(mac, params.data()) == 1;
        if (!done) return -1;
        return is_newest ? 1 : 2;
    }

   private:
    struct Key {
        std::array<unsigned char, 16> name;
        std::array<unsigned char, 32> cipher, mac;
        Clock::time_point born;
    };

    bool make_key(Clock::time_point now) {
        Key key{};
        key.born = now;
        if (RAND_bytes(key.name.data(), static_cast<int>(key.name.size())) != 1 ||
            RAND_priv_bytes(key.cipher.data(), static_cast<int>(key.cipher.size())) != 1 ||
            RAND_priv_bytes(key.mac.data(), static_cast<int>(key.mac.size())) != 1)
            return false;
        keys_.insert(keys_.begin(), key);
        forget_old(now);
        return true;
    }
    void forget_old(Clock::time_point now) {
        std::erase_if(keys_, [&](Key const& key) { return now - key.born >= lifetime_ * 2; });
        if (keys_.size() > most_keys) keys_.resize(most_keys);
    }
    bool newest(Key& key) {
        auto const now = Clock::now();
        std::lock_guard const lock(mutex_);
        if ((keys_.empty() || now - keys_.front().born >= lifetime_) && !make_key(now)) return false;
        key = keys_.front();
        return true;
    }
    bool find(unsigned char const* name, Key& key, bool& is_newest) {
        std::lock_guard const lock(mutex_);
        forget_old(Clock::now());
        auto const found = std::find_if(keys_.begin(), keys_.end(),
                                        [&](Key const& each) { return std::equal(each.name.begin(), each.name.end(), name); });
        if (found == keys_.end()) return false;
        is_newest = found == keys_.begin();
        key = *found;
        return true;
    }

    static constexpr std::size_t most_keys = 8;

    std::mutex mutex_;
    std::vector<Key> keys_;  // newest first
    std::chrono::seconds lifetime_{0};
};

}  // namespace hubbub::inline v0::detail
