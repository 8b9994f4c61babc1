#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <hubbub/ws/base64.hpp>

#include "tests/support/catch.hpp"

using namespace hubbub::ws;

namespace {
std::string encode(std::string_view text) { return encode_base64(std::as_bytes(std::span(text.data(), text.size()))); }
}  // namespace

TEST_CASE("The examples of RFC 4648 10") {
    CHECK(encode("").empty());
    CHECK(encode("f") == "Zg==");
    CHECK(encode("fo") == "Zm8=");
    CHECK(encode("foo") == "Zm9v");
    CHECK(encode("foob") == "Zm9vYg==");
    CHECK(encode("fooba") == "Zm9vYmE=");
    CHECK(encode("foobar") == "Zm9vYmFy");
    CHECK(encode("\xFF\xFF\xBE") == "//++");
}

TEST_CASE("The key of sixteen bytes is recognised") {
    CHECK(is_base64_of("dGhlIHNhbXBsZSBub25jZQ==", 16));
    for (int i = 0; i < 256; ++i) CHECK(is_base64_of(encode(std::string(16, static_cast<char>(i))), 16));
    for (std::size_t size = 0; size < 40; ++size) {
        for (std::size_t other = 0; other < 40; ++other) {
            CAPTURE(size, other);
            CHECK(is_base64_of(encode(std::string(size, 'x')), other) == (size == other));
        }
    }
}

TEST_CASE("What is not the canonical base64 of sixteen bytes is no key") {
    for (std::string_view const key :
         {"", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ===", "dGhlIHNhbXBsZSBub25jZQ=a",
          "dGhlIHNhbXBsZSBub25jZR==", "dGhlIHNhbXBsZSBub25jZf==", "dGhlIHNhbXBsZSBub25jZWE=", "dGhlIHNhbXBsZSBub25jZWFh",
          "dGhlIHNhbXBsZSBub25j====", "dGhlIHNhbXBsZSBub2 5jZQ==", "-_hlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25j!Q=="}) {
        CAPTURE(key);
        CHECK_FALSE(is_base64_of(key, 16));
    }
}
