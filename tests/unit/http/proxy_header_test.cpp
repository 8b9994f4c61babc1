#include <hubbub/http/proxy_header.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/catch.hpp"

using hubbub::http::ProxyHeader;

namespace {

std::span<std::byte const> octets_of(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

/// What a header says, or how it is refused; the same however it is split, and what follows it is not touched.
std::string read(std::string const& header) {
    static constexpr std::string_view behind = "GET / HTTP/1.1";
    std::string const all = header + std::string(behind);
    std::string first;
    for (std::size_t split = 0; split <= all.size(); ++split) {
        ProxyHeader reader;
        auto result = reader.feed(octets_of(std::string_view(all).substr(0, split)));
        std::size_t consumed = result.consumed;
        if (result.state == ProxyHeader::Progress::need_more) {
            CHECK(consumed == split);
            result = reader.feed(octets_of(std::string_view(all).substr(split)));
            consumed += result.consumed;
        }
        std::string said = "more";
        if (result.state == ProxyHeader::Progress::malformed) said = "malformed";
        if (result.state == ProxyHeader::Progress::done) {
            CHECK(consumed == header.size());
            said = reader.peer() ? reader.peer()->to_string() + " " + std::to_string(reader.peer()->port) : "nobody";
        }
        if (split == 0) first = said;
        CHECK(said == first);
    }
    return first;
}

std::string binary(unsigned version_and_command, unsigned family, std::string const& payload) {
    std::string header("\r\n\r\n\0\r\nQUIT\n", 12);
    for (std::size_t const byte :
         {std::size_t{version_and_command}, std::size_t{family}, payload.size() >> 8, payload.size() & 255})
        header += static_cast<char>(byte);
    return header + payload;
}

std::string const four = std::string("\xC0\x00\x02\x01\xC0\x00\x02\x02\xDC\x04\x01\xBB", 12);
std::string const six = std::string("\x20\x01\x0D\xB8", 4) + std::string(11, '\0') + "\x07" + std::string(16, '\x01') +
                        std::string("\x00\x50\x01\xBB", 4);

}  // namespace

TEST_CASE("Version 1 is a line, and says address and port of the client") {
    CHECK(read("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n") == "192.0.2.1 56324");
    CHECK(read("PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n") == "2001:db8:0:0:0:0:0:1 1");
    CHECK(read("PROXY UNKNOWN\r\n") == "nobody");
    CHECK(read("PROXY UNKNOWN ffff:f:f:f:f:f:f:f ffff:f:f:f:f:f:f:f 65535 65535\r\n") == "nobody");
}

TEST_CASE("A line that is not quite that is refused") {
    for (auto const* const wrong :
         {"PROXY TCP4 192.0.2.1 192.0.2.2 56324\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443 1\r\n",
          "PROXY TCP4 192.0.2.1  192.0.2.2 56324 443\r\n", "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
          "PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 65536 443\r\n",
          "PROXY TCP4 192.0.2.1 192.0.2.2 -1 443\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 1 \r\n",
          "PROXY TCP5 1.1.1.1 1.1.1.1 1 1\r\n", "PROXY UNKNOWNS\r\n", "PROXY \r\n",
          "proxy TCP4 192.0.2.1 192.0.2.2 56324 443\r\n", "GET / HTTP/1.1\r\n"}) {
        INFO(wrong);
        CHECK(read(wrong) == "malformed");
    }
    CHECK(read("PROXY UNKNOWN " + std::string(200, 'a')) == "malformed");  // longer than the protocol allows, without an end
}

TEST_CASE("Version 2 is binary, and what it tells beside the addresses is skipped") {
    CHECK(read(binary(0x21, 0x11, four)) == "192.0.2.1 56324");
    CHECK(read(binary(0x21, 0x11, four + std::string("\x01\x00\x02h1", 5))) == "192.0.2.1 56324");
    CHECK(read(binary(0x21, 0x21, six)) == "2001:db8:0:0:0:0:0:7 80");
    CHECK(read(binary(0x20, 0x00, "")) == "nobody");                                      // LOCAL
    CHECK(read(binary(0x20, 0x11, four)) == "nobody");                                    // its addresses are to be ignored
    CHECK(read(binary(0x21, 0x00, "abc")) == "nobody");                                   // unspecified
    CHECK(read(binary(0x21, 0x31, std::string(216, 'u'))) == "nobody");                   // a Unix socket
    CHECK(read(binary(0x21, 0x11, four + std::string(2020, 't'))) == "192.0.2.1 56324");  // the longest
}

TEST_CASE("A binary header that cannot be is refused before more of it is kept") {
    CHECK(read(binary(0x11, 0x11, four)) == "malformed");
    CHECK(read(binary(0x22, 0x11, four)) == "malformed");
    CHECK(read(binary(0x21, 0x11, four.substr(1))) == "malformed");
    CHECK(read(binary(0x21, 0x21, four)) == "malformed");
    CHECK(read(binary(0x21, 0x11, four + std::string(2021, 't'))) == "malformed");
    CHECK(read(std::string("\r\n\r\n\0\r\nQUIX\n", 12)) == "malformed");
}
