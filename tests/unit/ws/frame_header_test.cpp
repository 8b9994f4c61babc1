#include <hubbub/ws/frame_header.hpp>

#include <cstddef>
#include <span>
#include <vector>

#include "tests/support/catch.hpp"

namespace ws = hubbub::ws;

namespace {

/// RFC 6455 5.2, written down once more.
std::vector<std::byte> expected_frame(unsigned first, std::span<std::byte const> payload) {
    std::vector<std::byte> frame{static_cast<std::byte>(first)};
    std::size_t const size = payload.size();
    int const bytes = size < 126 ? 0 : size < 65536 ? 2 : 8;
    frame.push_back(static_cast<std::byte>(bytes == 0 ? size : bytes == 2 ? 126 : 127));
    for (int i = bytes; i-- > 0;) frame.push_back(static_cast<std::byte>(size >> (8 * i)));
    frame.insert(frame.end(), payload.begin(), payload.end());
    return frame;
}

}  // namespace

TEST_CASE("A frame of every length is header and payload, wherever it begins, and nothing is written beside it") {
    std::vector<std::size_t> sizes;
    for (std::size_t size = 0; size < 300; ++size) sizes.push_back(size);
    for (std::size_t const size : {4095u, 65535u, 65536u, 70001u}) sizes.push_back(size);
    constexpr std::byte untouched{0xA5};
    for (std::size_t const size : sizes) {
        for (std::size_t offset = 0; offset < (size < 300 ? 5 : 1); ++offset) {
            // Of its own, so that a read beyond it is seen where addresses are checked.
            std::vector<std::byte> payload(size);
            for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<std::byte>(i * 37 + size);
            auto const expected = expected_frame(0xC1, payload);
            std::vector<std::byte> out(offset + expected.size() + 40, untouched);
            CAPTURE(size, offset);
            REQUIRE(ws::encode_server_frame(out.data() + offset, ws::Opcode::text, payload, true) == expected.size());
            REQUIRE(ws::server_frame_size(size) == expected.size());
            REQUIRE(ws::server_frame_size(out.data() + offset) == expected.size());
            REQUIRE(ws::server_header_size(out.data() + offset) == expected.size() - size);
            std::vector<std::byte> whole(offset, untouched);
            whole.insert(whole.end(), expected.begin(), expected.end());
            whole.resize(out.size(), untouched);
            REQUIRE(out == whole);
        }
    }
}

TEST_CASE("What a frame is, is in its first byte") {
    std::vector<std::byte> out(16);
    ws::encode_server_frame(out.data(), ws::Opcode::binary, {});
    CHECK(out[0] == std::byte{0x82});
    CHECK(ws::is_message_frame(out.data()));
    ws::encode_server_frame(out.data(), ws::Opcode::pong, {});
    CHECK(out[0] == std::byte{0x8A});
    CHECK_FALSE(ws::is_message_frame(out.data()));
}
