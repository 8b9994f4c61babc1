#include <hubbub/transport/tls/record_sealer.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/catch.hpp"

using hubbub::detail::RecordCiphers;
using hubbub::detail::RecordSealer;

namespace record_sealer_test {
namespace {

std::vector<unsigned char> bytes_of(std::string_view hexadecimal) {
    std::vector<unsigned char> bytes;
    for (std::size_t i = 0; i + 1 < hexadecimal.size(); i += hexadecimal[i] == ' ' ? 1 : 2)
        if (hexadecimal[i] != ' ')
            bytes.push_back(static_cast<unsigned char>(std::stoul(std::string(hexadecimal.substr(i, 2)), nullptr, 16)));
    return bytes;
}

/// The keys of the server for application data in RFC 8448 3, in the form in which OpenSSL hands them to a kernel.
tls12_crypto_info_aes_gcm_128 keys_of_rfc8448(unsigned char number) {
    tls12_crypto_info_aes_gcm_128 keys{};
    keys.info.version = TLS_1_3_VERSION;
    keys.info.cipher_type = TLS_CIPHER_AES_GCM_128;
    auto const key = bytes_of("9f02283b6c9c07efc26bb9f2ac92e356"), iv = bytes_of("cf782b88dd83549aadf1e984");
    std::memcpy(keys.key, key.data(), sizeof keys.key);
    std::memcpy(keys.salt, iv.data(), sizeof keys.salt);
    std::memcpy(keys.iv, iv.data() + sizeof keys.salt, sizeof keys.iv);
    keys.rec_seq[7] = number;
    return keys;
}

std::vector<unsigned char> seal(RecordCiphers& ciphers, RecordSealer& sealer, std::uint8_t type,
                                std::vector<unsigned char> const& plaintext) {
    std::vector<unsigned char> record(RecordSealer::header + plaintext.size() + RecordSealer::trailer);
    std::memcpy(record.data() + RecordSealer::header, plaintext.data(), plaintext.size());
    REQUIRE(sealer.seal(ciphers, type, std::as_writable_bytes(std::span(record))));
    return record;
}

}  // namespace

TEST_CASE("Records are those of RFC 8448", "[tls]") {
    auto const keys = keys_of_rfc8448(1);  // behind a ticket
    RecordCiphers ciphers;
    RecordSealer sealer;
    CHECK_FALSE(sealer.is_active());
    REQUIRE(sealer.take(keys.info, ciphers));
    std::vector<unsigned char> payload;
    for (unsigned char i = 0; i < 50; ++i) payload.push_back(i);
    CHECK(seal(ciphers, sealer, 23, payload) ==
          bytes_of("17 03 03 00 43 2e 93 7e 11 ef 4a c7 40 e5 38 ad 36 00 5f c4 a4 69 32 fc 32 25 d0 5f 82 aa 1b 36 e3 0e fa "
                   "f9 7d 90 e6 df "
                   "fc 60 2d cb 50 1a 59 a8 fc c4 9c 4b f2 e5 f0 a2 1c 00 47 c2 ab f3 32 54 0d d0 32 e1 67 c2 95 5d"));
    constexpr std::uint8_t alert = 21;
    CHECK(seal(ciphers, sealer, alert, {1, 0}) ==
          bytes_of("17 03 03 00 13 b5 8f d6 71 66 eb f5 99 d2 47 20 cf be 7e fa 7a 88 64 a9"));
    sealer.give_back();
    CHECK_FALSE(sealer.is_active());
}

TEST_CASE("The number of a record counts on beyond a byte, and each has a nonce of its own", "[tls]") {
    auto const first = keys_of_rfc8448(255);
    RecordCiphers ciphers;
    RecordSealer counting;
    REQUIRE(counting.take(first.info, ciphers));
    auto const at_255 = seal(ciphers, counting, 23, {7}), at_256 = seal(ciphers, counting, 23, {7});
    auto second = keys_of_rfc8448(0);
    second.rec_seq[6] = 1;
    RecordSealer direct;
    REQUIRE(direct.take(second.info, ciphers));
    CHECK(seal(ciphers, direct, 23, {7}) == at_256);
    CHECK(at_255 != at_256);
}

TEST_CASE("What is no TLS 1.3, or has another cipher, is left to OpenSSL", "[tls]") {
    RecordCiphers ciphers;
    RecordSealer sealer;
    auto keys = keys_of_rfc8448(0);
    keys.info.version = TLS_1_2_VERSION;
    CHECK_FALSE(sealer.take(keys.info, ciphers));
    keys.info.version = TLS_1_3_VERSION;
    keys.info.cipher_type = TLS_CIPHER_AES_CCM_128;
    CHECK_FALSE(sealer.take(keys.info, ciphers));
    CHECK_FALSE(sealer.is_active());
}

}  // namespace record_sealer_test
