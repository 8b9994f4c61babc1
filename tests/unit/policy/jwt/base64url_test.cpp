#include <hubbub/policy/jwt/base64url.hpp>

#include <string>

#include "tests/support/catch.hpp"

using namespace hubbub;

TEST_CASE("Base64url is what RFC 4648 and RFC 7515 appendix C show") {
    CHECK(encode_base64url("").empty());
    CHECK(encode_base64url("f") == "Zg");
    CHECK(encode_base64url("fo") == "Zm8");
    CHECK(encode_base64url("foo") == "Zm9v");
    CHECK(encode_base64url("foobar") == "Zm9vYmFy");
    CHECK(encode_base64url("\x03\xEC\xFF\xE0\xC1") == "A-z_4ME");
    CHECK(decode_base64url("A-z_4ME") == "\x03\xEC\xFF\xE0\xC1");
}

TEST_CASE("What is encoded comes back, at every length and with every byte") {
    std::string bytes;
    for (int i = 0; i < 300; ++i) {
        auto const text = encode_base64url(bytes);
        CHECK(text.size() == (bytes.size() * 4 + 2) / 3);
        CHECK(decode_base64url(text) == bytes);
        bytes += static_cast<char>(i * 7);
    }
}

TEST_CASE("Bytes have one spelling: padding, other alphabets, spaces and bits left over are refused") {
    for (auto const* text : {"Zg==", "Zg=", "Zm8=", "Z", "Zm9vY", "A+z/4ME", "Zm 9v", "Zm9v\n", " Zm9v", "Zh", "Zm9", "Zm9v.",
                             "Zm9v%3D", "\xC3\xA4Zm"})
        CHECK_FALSE(decode_base64url(text));
    CHECK_FALSE(decode_base64url(std::string_view("Zm\0v", 4)));
    int spellings = 0;
    for (char const last : detail::base64url_alphabet) spellings += decode_base64url(std::string("Zm9vZ") + last) ? 1 : 0;
    CHECK(spellings == 4);  // of 64 only those whose four last bits are 0
}
