#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include <hubbub/ws/sha1.hpp>

#include "tests/support/catch.hpp"

using namespace hubbub::ws;

namespace {
std::string hex(Sha1::Digest const& digest) {
    std::string out;
    for (std::byte const each : digest) {
        out += "0123456789abcdef"[std::to_integer<unsigned>(each) >> 4];
        out += "0123456789abcdef"[std::to_integer<unsigned>(each) & 15];
    }
    return out;
}
}  // namespace

TEST_CASE("SHA-1 of the published examples") {
    CHECK(hex(Sha1::of("")) == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    CHECK(hex(Sha1::of("abc")) == "a9993e364706816aba3e25717850c26c9cd0d89d");
    CHECK(hex(Sha1::of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
          "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    CHECK(hex(Sha1::of(std::string(1000000, 'a'))) == "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

TEST_CASE("SHA-1 around the ends of a block") {
    // Made with Python's hashlib.
    for (auto const& [size, digest] :
         {std::pair<std::size_t, std::string_view>{55, "cef734ba81a024479e09eb5a75b6ddae62e6abf1"},
          std::pair<std::size_t, std::string_view>{56, "901305367c259952f4e7af8323f480d59f81335b"},
          std::pair<std::size_t, std::string_view>{57, "025ecbd5d70f8fb3c5457cd96bab13fda305dc59"},
          std::pair<std::size_t, std::string_view>{63, "0ddc4e0cccd9a12850deb5abb0853a4425559fec"},
          std::pair<std::size_t, std::string_view>{64, "bb2fa3ee7afb9f54c6dfb5d021f14b1ffe40c163"},
          std::pair<std::size_t, std::string_view>{65, "78c741ddc482e4cdf8c474a0876347a0905b6233"},
          std::pair<std::size_t, std::string_view>{119, "4300320394f7ee239bcdce7d3b8bcee173a0cd5c"},
          std::pair<std::size_t, std::string_view>{120, "ceb2821639c4b6dcb10bce0e522ca2e608ce056d"},
          std::pair<std::size_t, std::string_view>{128, "150fa3fbdc899bd0b8f95a9fb6027f564d953762"}}) {
        CAPTURE(size);
        CHECK(hex(Sha1::of(std::string(size, 'x'))) == digest);
    }
}

TEST_CASE("SHA-1 with the instructions of the processor is SHA-1") {
#ifdef HUBBUB_SHA1_X86
    if (!hubbub::ws::detail::has_sha1_x86()) {
        WARN("left out: this processor has none");
        return;
    }
    std::mt19937 random(1);
    std::array<std::uint32_t, 5> one{}, other{};
    for (int i = 0; i < 1000; ++i) {
        std::array<std::byte, 65> bytes;  // of any alignment
        for (std::byte& each : bytes) each = static_cast<std::byte>(random() & 0xFF);
        hubbub::ws::detail::sha1_block(one, bytes.data() + i % 2);
        hubbub::ws::detail::sha1_block_x86(other, bytes.data() + i % 2);
        REQUIRE(one == other);
    }
#else
    WARN("left out: another kind of processor");
#endif
}
