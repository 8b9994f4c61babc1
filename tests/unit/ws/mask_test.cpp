#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <hubbub/ws/mask.hpp>

#include "tests/support/catch.hpp"

using namespace hubbub::ws;

namespace {
constexpr MaskKey key{std::byte{0x37}, std::byte{0xFA}, std::byte{0x21}, std::byte{0x3D}};
}

TEST_CASE("Masking follows RFC 6455 5.3 at every length, alignment and phase, and touches nothing beside it") {
    for (std::size_t size = 0; size < 40; ++size) {
        for (std::size_t offset = 0; offset < 9; ++offset) {
            for (std::size_t phase = 0; phase < 6; ++phase) {
                std::vector<std::byte> bytes(offset + size + 9);
                for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 37 + 11);
                auto expected = bytes;
                for (std::size_t i = 0; i < size; ++i) expected[offset + i] ^= key[(i + phase) % 4];
                apply_mask(std::span(bytes).subspan(offset, size), key, phase);
                CAPTURE(size, offset, phase);
                REQUIRE(bytes == expected);
            }
        }
    }
}

TEST_CASE("The example of RFC 6455 5.7 unmasks to Hello") {
    std::vector<std::byte> bytes;
    for (unsigned const each : {0x7fu, 0x9fu, 0x4du, 0x51u, 0x58u}) bytes.push_back(static_cast<std::byte>(each));
    apply_mask(bytes, key);
    CHECK(std::string(reinterpret_cast<char const*>(bytes.data()), bytes.size()) == "Hello");
}

TEST_CASE("Masking piece by piece is masking the whole") {
    std::vector<std::byte> whole(50), pieces(50);
    apply_mask(whole, key);
    std::size_t at = 0;
    for (std::size_t const size : {1u, 2u, 3u, 5u, 8u, 13u, 18u}) {
        apply_mask(std::span(pieces).subspan(at, size), key, at);
        at += size;
    }
    REQUIRE(at == 50);
    CHECK(whole == pieces);
}
