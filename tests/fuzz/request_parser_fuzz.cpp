// Any bytes, to a request parser: its answer may not depend on how they were split, and what it accepts keeps its promises.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <span>
#include <string>
#include <utility>

#include <hubbub/http/ascii.hpp>
#include <hubbub/http/authority.hpp>
#include <hubbub/http/request_parser.hpp>
#include <hubbub/ws/handshake.hpp>

namespace {

using namespace hubbub;
using State = http::Progress::State;

void require(bool condition) {
    if (!condition) std::abort();
}

struct Ending {
    State state = State::need_more;
    std::size_t consumed = 0;
    unsigned status = 0;
    std::string reason;
    bool operator==(Ending const&) const = default;
};

template <class Next>
Ending parse(std::span<std::byte const> bytes, http::ParserLimits const& limits, http::Request& request, Next&& next) {
    http::RequestParser parser(limits);
    Ending ending;
    while (!bytes.empty() && ending.state == State::need_more) {
        auto const piece = bytes.first(std::min(bytes.size(), next()));
        auto const progress = parser.feed(piece);
        ending.state = progress.state;
        ending.consumed += progress.consumed;
        require(progress.consumed <= piece.size());
        bytes = bytes.subspan(piece.size());
    }
    if (ending.state == State::complete) request = std::move(parser).take();
    if (ending.state == State::refused) {
        ending = {State::refused, 0, static_cast<unsigned>(parser.refusal().status), std::string(parser.refusal().reason)};
    }
    return ending;
}

void check_promises(http::Request const& request) {
    http::Authority authority;
    require(request.method() == "GET" || request.method() == "HEAD");
    require(request.path().starts_with('/'));
    require(http::parse_authority(request.host(), authority));
    require(request.count("Host") == 1);
    require(!request.header("Transfer-Encoding"));
    for (http::Header const header : request.headers()) {
        require(http::is_token(header.name));
        require(http::is_field_value(header.value));
        require(http::trim(header.value) == header.value);
    }
    auto const outcome = ws::check_upgrade(request);
    if (outcome.kind == ws::UpgradeOutcome::Kind::accepted) {
        require(request.method() == "GET");
        require(request.has_token("Upgrade", "websocket") && request.has_token("Connection", "upgrade"));
        require(request.header("Sec-WebSocket-Version") == "13");
        for (auto const protocol : outcome.protocols) require(!ws::upgrade_response(outcome.accept, protocol).empty());
    }
    static_cast<void>(request.cookie("a"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    if (size < 2) return 0;
    http::ParserLimits const limits{data[0] & 1 ? std::size_t{8192} : 128u + data[0], 64u + data[0], 1u + data[0] % 16u};
    std::minstd_rand random(data[1] + 1u);
    auto const bytes = std::as_bytes(std::span(data + 2, size - 2));
    http::Request whole, parts, single;
    Ending const expected = parse(bytes, limits, whole, [&] { return bytes.size(); });
    require(parse(bytes, limits, parts, [&] { return std::size_t{1} + random() % 40; }) == expected);
    require(parse(bytes, limits, single, [] { return std::size_t{1}; }) == expected);
    if (expected.state != State::complete) return 0;
    require(expected.consumed <= limits.total);
    require(parts.target() == whole.target() && parts.host() == whole.host() &&
            parts.headers().size() == whole.headers().size());
    check_promises(whole);
    return 0;
}
