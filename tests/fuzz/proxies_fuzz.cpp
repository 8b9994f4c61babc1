// What a proxy says of a connection, as header of the connection and of the request: the answer may not depend on how it was split, and
// is never an address that nobody wrote.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <hubbub/http/proxy_header.hpp>
#include <hubbub/http/request_parser.hpp>
#include <hubbub/http/trusted_proxies.hpp>

namespace {

using namespace hubbub;

void require(bool condition) {
    if (!condition) std::abort();
}

struct Said {
    http::ProxyHeader::Progress state = http::ProxyHeader::Progress::need_more;
    std::size_t consumed = 0;
    std::optional<PeerAddress> peer;
    bool operator==(Said const&) const = default;
};

Said read(std::span<std::byte const> bytes, std::size_t piece) {
    http::ProxyHeader header;
    Said said;
    while (!bytes.empty() && said.state == http::ProxyHeader::Progress::need_more) {
        auto const next = bytes.first(std::min(piece, bytes.size()));
        auto const [state, consumed] = header.feed(next);
        require(consumed <= next.size());
        said.state = state;
        said.consumed += consumed;
        bytes = bytes.subspan(next.size());
    }
    said.peer = header.peer();
    if (said.state == http::ProxyHeader::Progress::malformed) said.consumed = 0;
    return said;
}

/// The text as the value of both headers, where it can be one.
void look_for_hops(std::string_view value) {
    http::RequestParser parser;
    std::string request = "GET / HTTP/1.1\r\nHost: h\r\nForwarded: ";
    request.append(value).append("\r\nX-Forwarded-For: ").append(value).append("\r\n\r\n");
    auto const progress = parser.feed(std::as_bytes(std::span(request)));
    if (progress.state != http::Progress::State::complete) return;
    auto const parsed = std::move(parser).take();
    PeerAddress const nearest = *parse_address("10.0.0.1");
    for (auto const which : {http::ForwardedHeader::forwarded, http::ForwardedHeader::x_forwarded_for}) {
        std::size_t hops = 0;
        http::visit_hops(parsed, which, [&](auto const&) { return ++hops <= value.size(); });
        require(hops <= value.size());
        http::ProxyTrust const trust({.networks = {"10.0.0.0/8"}, .header = which});
        static_cast<void>(trust.origin_of(parsed, nearest));
        http::ProxyTrust const nobody({.networks = {}, .header = which});
        require(nobody.origin_of(parsed, nearest) == nearest);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    auto const bytes = std::as_bytes(std::span(data, size));
    Said const whole = read(bytes, size ? size : 1);
    require(read(bytes, 1) == whole && read(bytes, 7) == whole);
    require(whole.consumed <= http::ProxyHeader::longest);
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    if (size < 2000) look_for_hops(text);
    if (auto const network = Network::parse(text)) static_cast<void>(network->contains(*parse_address("10.0.0.1")));
    return 0;
}
