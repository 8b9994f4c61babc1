#include <hubbub/core/siphash.hpp>

#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "tests/support/catch.hpp"

using hubbub::SipHash;

namespace {

// The key 00 01 .. 0f, as in the paper's example.
constexpr SipHash counting{0x0706050403020100u, 0x0f0e0d0c0b0a0908u};

std::string counting_bytes(std::size_t size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(i));
    return bytes;
}

}  // namespace

TEST_CASE("SipHash gives the reference values of SipHash-1-3 for the paper's key and messages") {
    std::pair<std::size_t, std::uint64_t> const vectors[] = {
        {0, 0xabac0158050fc4dcu},  {1, 0xc9f49bf37d57ca93u},  {7, 0xd3927d989bb11140u},
        {8, 0x369095118d299a8eu},  {9, 0x25a48eb36c063de4u},  {15, 0xd320d86d2a519956u},
        {16, 0xcc4fdd1a7d908b66u}, {17, 0x9cf2689063dbd80cu}, {63, 0x9d199062b7bbb3a8u},
    };
    for (auto const& [size, expected] : vectors) {
        CAPTURE(size);
        CHECK(counting(counting_bytes(size)) == expected);
    }
}

TEST_CASE("SipHash does not depend on where the text lies in memory") {
    std::string const text = counting_bytes(20);
    for (std::size_t shift = 0; shift < 8; ++shift) {
        std::string const moved = std::string(shift, 'x') + text;
        CHECK(counting(std::string_view(moved).substr(shift)) == counting(text));
    }
}

TEST_CASE("SipHash tells texts apart that differ in length only, and keys") {
    std::set<std::uint64_t> seen;
    for (std::size_t size = 0; size < 64; ++size) seen.insert(counting(std::string(size, '\0')));
    CHECK(seen.size() == 64);
    CHECK(SipHash{1, 2}("room") != SipHash{1, 3}("room"));
    CHECK(SipHash{1, 2}("room") != SipHash{2, 2}("room"));
}
