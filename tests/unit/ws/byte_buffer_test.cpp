#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <hubbub/ws/byte_buffer.hpp>

#include "tests/support/catch.hpp"

using hubbub::ws::ByteBuffer;

namespace {
bool append(ByteBuffer& buffer, std::string_view text, std::size_t expected) {
    return buffer.append(std::as_bytes(std::span(text.data(), text.size())), expected);
}
std::string text_of(ByteBuffer& buffer) {
    auto const bytes = buffer.bytes();
    return bytes.empty() ? std::string() : std::string(reinterpret_cast<char const*>(bytes.data()), bytes.size());
}
}  // namespace

TEST_CASE("Bytes come out as they were appended") {
    ByteBuffer buffer;
    CHECK(text_of(buffer).empty());
    std::string expected;
    for (int i = 0; i < 1000; ++i) {
        std::string const piece(static_cast<std::size_t>(i % 7), static_cast<char>('a' + i % 26));
        REQUIRE(append(buffer, piece, 1 << 20));
        expected += piece;
    }
    CHECK(text_of(buffer) == expected);
    buffer.truncate(3);
    CHECK(append(buffer, "x", 4));
    CHECK(text_of(buffer) == expected.substr(0, 3) + "x");
}

TEST_CASE("What is announced is not allocated before it comes") {
    ByteBuffer buffer;
    REQUIRE(append(buffer, "x", std::numeric_limits<std::size_t>::max()));
    CHECK(buffer.capacity() <= 2);
    std::size_t allocations = 1;
    for (std::size_t size = 1; size < 100000; ++size) {
        std::size_t const before = buffer.capacity();
        REQUIRE(append(buffer, "x", std::numeric_limits<std::size_t>::max()));
        REQUIRE(buffer.capacity() <= 2 * buffer.size());
        allocations += buffer.capacity() != before ? 1 : 0;
    }
    CHECK(allocations < 20);
}

TEST_CASE("A buffer is never larger than what it will hold in the end") {
    ByteBuffer buffer;
    for (int i = 0; i < 1000; ++i) {
        REQUIRE(append(buffer, "x", 1000));
        REQUIRE(buffer.capacity() <= 1000);
    }
    CHECK(buffer.capacity() == 1000);
}

TEST_CASE("A buffer that was moved from is empty") {
    ByteBuffer buffer;
    REQUIRE(append(buffer, "abc", 3));
    ByteBuffer other = std::move(buffer);
    CHECK(buffer.size() == 0);
    CHECK(buffer.capacity() == 0);
    CHECK(text_of(other) == "abc");
    buffer = std::move(other);
    CHECK(text_of(buffer) == "abc");
}
