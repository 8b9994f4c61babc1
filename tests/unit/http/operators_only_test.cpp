#include <hubbub/http/operators_only.hpp>

#include <string>

#include "tests/support/catch.hpp"
#include "tests/unit/http/parse.hpp"

using namespace hubbub;

namespace operators_only {
PeerAddress peer(std::uint8_t first) {
    PeerAddress address{.family = PeerAddress::Family::ipv4};
    address.bytes[0] = first;
    address.bytes[3] = 1;
    return address;
}
}  // namespace operators_only

TEST_CASE("A page of operation is for this machine unless the host says otherwise") {
    using operators_only::peer;
    auto const local = parse("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    http::OperatorsOnly const usual;
    CHECK(usual.allows(local, peer(127)));
    CHECK_FALSE(usual.allows(local, peer(10)));
    CHECK_FALSE(usual.refusal(local, peer(127)));
    auto const refusal = usual.refusal(local, peer(10));
    REQUIRE(refusal);
    CHECK(refusal->status == http::Status::forbidden);
    CHECK(refusal->reason == "this page is for this machine only");

    http::OperatorsOnly const with_key(
        [](http::Request const& request, PeerAddress const&) { return request.query() == "key"; });
    CHECK(with_key.allows(parse("GET /?key HTTP/1.1\r\nHost: a\r\n\r\n"), peer(10)));
    CHECK(with_key.refusal(local, peer(127))->reason == "you may not see this");
    CHECK(http::OperatorsOnly::anybody().allows(local, peer(10)));
}
